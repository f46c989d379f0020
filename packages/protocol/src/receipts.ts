import { type Static, Type } from 'typebox'
import { ChatId, closed, Cursor, Limit, oneOf, opt, Seq, Username } from './schema.ts'

export const DeliveredBody = closed({
  seq: Type.Integer({ ...Seq, description: 'This device has the messages up to here.' }),
})
export type DeliveredBody = Static<typeof DeliveredBody>
export const DeliveredCallBody = closed({ chatId: ChatId, ...DeliveredBody.properties })

export const ReceiptsQuery = closed({ limit: opt(Limit), cursor: opt(Cursor) })
export type ReceiptsQuery = Static<typeof ReceiptsQuery>

export const Receipt = closed({ username: Username, state: oneOf(['read', 'delivered']) })
export type Receipt = Static<typeof Receipt>

/** Who has a message, without its sender. */
export const Receipts = closed({
  read: Type.Integer({ minimum: 0, description: 'So many have read it.' }),
  delivered: Type.Integer({
    minimum: 0,
    description: 'So many have it on a device; who has read it is among them.',
  }),
  items: Type.Array(Receipt, { description: 'By username.' }),
  nextCursor: opt(Cursor),
})
export type Receipts = Static<typeof Receipts>
