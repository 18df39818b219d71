export type { EmulatedGuest, ListedProcess } from './guest.js'
export { startEmulatedGuest } from './guest.js'
export type { EmulatedHost } from './hosts/host.js'
export { startEmulatedHost } from './hosts/host.js'
export type { EmulatedLab } from './lab.js'
export { startEmulatedLab } from './lab.js'
export {
  findPersona,
  loadGuestPersona,
  loadHostPersona,
  loadPersona,
  parsePersona,
  readPersona,
  weakestProvenance,
} from './persona/load.js'
export { applyOverlay } from './persona/overlay.js'
export type { GuestPersona, HostPersona, Persona } from './persona/schema.js'
export { personaSchema } from './persona/schema.js'
export type { EmulatedGuestSpec, EmulatedLabSpec } from './spec.js'
export { emulatedGuestSchema, emulatedLabSchema } from './spec.js'
