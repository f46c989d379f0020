import { type Static, Type } from 'typebox'
import { closed, opt } from './schema.ts'

/** What this server offers to who asks: an interface shows no more than that. */
export const Features = closed({
  files: opt(
    closed({
      maxBytes: Type.Integer({ minimum: 1, description: 'Of one file.' }),
      types: Type.Array(Type.String(), {
        maxItems: 1_000,
        description: 'The media types that are taken, such as `image/*`.',
      }),
    }),
  ),
  previews: Type.Boolean({ description: 'true: links in texts get a preview.' }),
  findUsers: Type.Boolean({ description: 'true: I may search and list users.' }),
})
export type Features = Static<typeof Features>
