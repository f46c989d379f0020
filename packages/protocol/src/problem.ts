import { type Static, Type } from 'typebox'
import { closed, opt } from './schema.ts'

/** RFC 9457 `application/problem+json`; over the socket the same fields come in `error`. */
export const Problem = closed({
  type: Type.String({ description: '`about:blank`: the code says it all.' }),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String({ description: 'Stable; see the catalogue in docs/protocol.md.' }),
  detail: opt(Type.String({ description: 'What is wrong here, and how to mend it.' })),
  field: opt(Type.String({ description: 'The field at fault, as a JSON pointer.' })),
  retryAfterMs: opt(Type.Integer({ description: 'Try again after so many milliseconds.' })),
})
export type Problem = Static<typeof Problem>

/** The acknowledgement of a call that failed. */
export const CallError = closed({
  code: Type.String(),
  detail: opt(Type.String()),
  field: opt(Type.String()),
  retryAfterMs: opt(Type.Integer()),
})
export type CallError = Static<typeof CallError>
