/** The ways to tell a run on standard output. */
export const reporterKinds = ['auto', 'plain', 'quiet', 'json'] as const
export type ReporterKind = (typeof reporterKinds)[number]
