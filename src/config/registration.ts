/** How many digits of its registration's leaf hash the name of a registered run ends in. */
export const registrationDigits = 12
