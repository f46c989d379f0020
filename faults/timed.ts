/** What is done at a time, whatever happens then. */
import { randomUUID } from 'node:crypto'
import type { Device } from './device.ts'
import type { Call } from './history.ts'
import type { Random } from './random.ts'

/** The server wants at least 10 s: it is due while a later fault is at work. */
const LEAST_AHEAD_MS = 11_000
let scheduled = 0

/** [TIME-3] It is due while a later fault is at work. */
export function schedule(device: Device, chatId: string, random: Random): Promise<Call> {
  scheduled += 1
  const body = `later ${scheduled}`
  const dueAt = Date.now() + LEAST_AHEAD_MS + random.between(0, 4_000)
  const message = { body, sendAt: new Date(dueAt).toISOString() }
  const headers = { 'idempotency-key': randomUUID() }
  return device.repeat(
    { kind: 'schedule', chatId, body, dueAt },
    () => device.byRest('POST', `/chats/${chatId}/scheduled`, message, headers),
    ({ id }) => ({ clientId: id }),
  )
}
