/**
 * The environment variable that every login on an emulated host or guest has: what is reached there is known for what it
 * is, whatever the lab says of it. The emulator shares no code with the product, and has the name of its own.
 */
export const emulatedMark = 'GUESTCERT_EMULATED'
