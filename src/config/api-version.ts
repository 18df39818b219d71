/** The version of `guestcert/api`. It rises when a module written for an older one would no longer do what it says. */
export const apiVersion = 1
