/** A device of a person, and the state that it keeps by what it is told. */
import assert from 'node:assert/strict'
import type { Changes, History, SyncResult } from '@microchatter/protocol'
import { Mailbox } from '../../../client/src/merge/mailbox.ts'
import { Device, type Person } from './server.ts'

/** Connects, holding; syncs; and keeps the state by events from then on. */
export async function comeBack(one: Person, state: Mailbox): Promise<Device> {
  const device = new Device(one.server.url, { token: one.token, hold: true })
  one.devices.push(device)
  device.socket.prependAny((name: string, data: unknown) => state.apply(name, data))
  await device.connected()
  const chats = [...state.open].map(([chatId, messages]) => ({
    chatId,
    seq: messages.at(-1)?.seq ?? 0,
    change: state.changeOf(chatId),
  }))
  const body = { ...(state.cursor ? { cursor: state.cursor } : {}), chats }
  let isPartial = false
  await new Promise<void>((resolve) => {
    // Applied at once, as it comes: what is released follows it.
    device.socket.emit('sync', body, (result: { ok: boolean; sync: SyncResult }) => {
      assert(result.ok, JSON.stringify(result))
      state.sync(result.sync)
      isPartial = result.sync.messages.some(({ hasAfter }) => hasAfter)
      resolve()
    })
  })
  await fetchMissing(one, state)
  // Of more than one sync brings, events came before the rest.
  if (isPartial) state.gaps = 0
  return device
}

/** [MERGE-7, MERGE-10] What the open chats lack, by history and by changes. */
export async function fetchMissing(one: Person, state: Mailbox): Promise<void> {
  for (const [chatId, missing] of state.wants) {
    let after = missing
    let page: History
    do {
      page = await one.ask<History>('GET', `/chats/${chatId}/messages?after=${after}&limit=100`)
      state.page(chatId, after, page)
      after = page.items.at(-1)?.seq ?? after
    } while (page.hasAfter)
  }
  for (const [chatId, missing] of state.wantsChanges) {
    let after = missing
    let page: Changes
    do {
      page = await one.ask<Changes>('GET', `/chats/${chatId}/changes?after=${after}&limit=100`)
      state.changes(chatId, page)
      after = page.changes
    } while (page.hasAfter)
  }
}
