/** What users have decided for all of their chats [PRIV-1]. */
import type { UpdateSettingsBody, UserSettings } from '@microchatter/protocol'
import { selectUserById, updateSettings, type UserRow } from '../store/users.ts'
import { tellDevices } from './chats.ts'
import { touchUserChats } from './contacts.ts'
import type { Actor, Core } from './core.ts'
import { userNotFound } from './users.ts'

export async function getSettings(core: Core, actor: Actor): Promise<UserSettings> {
  const row = await selectUserById(core.db, actor.id)
  if (!row) throw userNotFound()
  return toSettings(core, row)
}

export async function editSettings(
  core: Core,
  actor: Actor,
  { receipts, ...patch }: UpdateSettingsBody,
): Promise<UserSettings> {
  // The site has no say in it: they are on.
  const wanted = receipts === null ? true : receipts
  const row = await core.db.transaction(async (tx) => {
    // [RECEIPT-5] What others see in their chats changes with it: their next sync has it.
    if (wanted !== undefined) await touchUserChats(tx, actor.id)
    return updateSettings(tx, actor.id, { ...patch, receipts: wanted })
  })
  if (!row) throw userNotFound()
  core.bus.publish({ kind: 'user', userId: actor.id })
  const settings = toSettings(core, row)
  tellDevices(core, actor, 'settings.updated', settings)
  return settings
}

/** In force. */
function toSettings({ settings }: Core, row: UserRow): UserSettings {
  return {
    writeFrom: row.write_from ?? settings.privacy.writeFrom,
    lastSeenTo: row.last_seen_to ?? settings.presence.visibleTo,
    receipts: row.receipts,
  }
}
