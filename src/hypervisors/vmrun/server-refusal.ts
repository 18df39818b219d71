/** Why VMware Server is refused, wherever it is met. */
export const serverRefusal =
  'VMware Server is not driven: its vmrun takes the password in its arguments, where every user of the host can read it'
