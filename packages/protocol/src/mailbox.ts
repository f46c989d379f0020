/** What a user has to keep its chats in order. */
import { type Static, Type } from 'typebox'
import { Label, Rev } from './chats.ts'
import { Draft } from './groups.ts'
import { LIMITS } from './limits.ts'
import { ChatId, closed, opt, Seq } from './schema.ts'

/** Named as an object, for `draft.set` has it within. */
export const NewDraft = closed({
  body: Type.String({ minLength: 1, maxLength: LIMITS.body }),
  reply: opt(
    Type.Integer({
      minimum: 1,
      maximum: LIMITS.seq,
      description: 'The seq of the message that is answered.',
    }),
  ),
})
export type NewDraft = Static<typeof NewDraft>

/** As of the moment that `rev` and `lastSeq` name. */
export const DraftState = closed({
  chatId: ChatId,
  rev: Rev,
  lastSeq: Seq,
  draft: opt(Draft),
})
export type DraftState = Static<typeof DraftState>

export const RequestBody = closed({
  accept: Type.Boolean({ description: 'false: the chat leaves my list, and nothing more comes.' }),
})
export type RequestBody = Static<typeof RequestBody>

export const ReadAll = closed({
  chats: Type.Integer({ minimum: 0, description: 'Chats that had something unread.' }),
  more: opt(Type.Literal(true, { description: 'There are further ones: call again.' })),
})
export type ReadAll = Static<typeof ReadAll>

/** Counts the chats on my list, archived ones too. */
export const LabelCount = closed({
  label: Label,
  chats: Type.Integer({ minimum: 1 }),
  unread: Type.Integer({
    minimum: 0,
    description: 'Unread messages in those of them that are not muted.',
  }),
})
export type LabelCount = Static<typeof LabelCount>
