import { z } from 'zod'
import { id, moment, text } from '../config/scalars.js'

const longestReason = 500

/** What a `waivers.yaml` may hold. */
export const waiversSchema = z.strictObject({
  waivers: z.array(
    z
      .strictObject({
        id,
        test: text.meta({ description: 'One test by its full id: clock/drift. Wildcards are refused' }),
        guest: z.strictObject({ product: text, version: text }),
        hypervisor: z.strictObject({ product: text, version: text.optional() }).optional(),
        reason: text.max(longestReason),
        link: z.url('expected the address of a bug report, such as "https://bugs.example/17"'),
        owner: text.meta({ description: 'Who works on it' }),
        approver: text.meta({ description: 'Who allowed it: never the owner' }),
        expires: moment,
      })
      .superRefine(({ owner, approver, test }, context) => {
        if (owner.trim().toLowerCase() === approver.trim().toLowerCase()) {
          const message = 'expected an approver who is not the owner'
          context.addIssue({ code: 'custom', message, path: ['approver'] })
        }
        if (/[*?]/.test(test)) {
          const message = 'expected one test: a waiver for many hides what is not known yet'
          context.addIssue({ code: 'custom', message, path: ['test'] })
        }
      }),
  ),
})

/** A known failure that is forgiven for a while, for one test of one guest. */
export type Waiver = z.infer<typeof waiversSchema>['waivers'][number]
