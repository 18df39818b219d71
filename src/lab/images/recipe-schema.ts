import { z } from 'zod'
import { id, size, text } from '../../config/scalars.js'

const packageName = z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, 'expected the name of a Debian package')
const absolutePath = z
  .string()
  .regex(/^(\/[^/\0]+)+$/, 'expected an absolute path in the guest')
  .refine(path => !path.split('/').includes('..'), 'expected a path without ".."')
const mode = z.string().regex(/^0[0-7]{3}$/, 'expected a mode in quotes, such as "0644"')
const unit = z
  .string()
  .regex(/^[A-Za-z0-9@_.\\-]+\.[a-z]+$/, 'expected the name of a unit, such as "fstrim.timer"')

/** A file's content, or its content and mode. */
export const fileEntry = z.union([z.string(), z.strictObject({ content: z.string(), mode: mode.optional() })])

/** What a recipe in `fixtures/images/` may hold; what it `extends` may bring the rest. */
export const recipeSchema = z.strictObject({
  extends: id
    .optional()
    .meta({ description: 'A recipe beside this one: lists and maps are added to, the rest is replaced' }),
  image: id,
  title: text.optional(),
  release: id.optional().meta({ description: "Debian's release by its code name" }),
  arch: z.enum(['amd64', 'i386']).optional(),
  kernel: packageName.optional(),
  packages: z.array(packageName).optional(),
  size: size.optional(),
  bootedMark: text.optional().meta({ description: 'What the console says when the guest can be reached' }),
  kernelArguments: z.array(z.string().regex(/^\S+$/, 'expected one argument without spaces')).optional(),
  hardware: z.strictObject({ disk: z.array(id).min(1), nic: z.array(id).min(1) }).optional(),
  exclude: z.array(absolutePath).optional(),
  early: z.record(absolutePath, fileEntry).optional(),
  files: z.record(absolutePath, fileEntry).optional(),
  links: z.record(absolutePath, absolutePath).optional(),
  mask: z.array(unit).optional(),
  hypervisor: z
    .literal('xen')
    .optional()
    .meta({ description: 'What boots before the kernel: the newest /boot/xen-*.gz of the packages' }),
  guests: z
    .array(id)
    .min(1)
    .optional()
    .meta({ description: 'Recipes beside this one whose kernel, initrd and disk go into this image' }),
})

/** What a recipe must hold together with what it extends. */
export const wholeRecipeSchema = recipeSchema.required({
  title: true,
  release: true,
  arch: true,
  kernel: true,
  packages: true,
  size: true,
  bootedMark: true,
  kernelArguments: true,
  hardware: true,
})

export type RecipeFileEntry = z.infer<typeof fileEntry>
export type WrittenRecipe = z.infer<typeof recipeSchema>
