import type { Message } from '@microchatter/client'
import { memberOf, nameOf } from '../ui.ts'
import type { Where } from './where.ts'

/** What happened to a group, in a sentence. */
export function systemLine(
  { ui, chat, me }: Pick<Where, 'ui' | 'chat' | 'me'>,
  message: Message,
): string {
  const { event, sender, body } = message
  if (!event) return body
  const name = (username: string | undefined) =>
    username === me ? ui.t.you : nameOf(ui, memberOf(chat, username))
  const who = name(sender)
  const whom = (event.usernames ?? []).map(name).join(', ')
  const { t } = ui
  switch (event.type) {
    case 'group.created':
      return t.groupCreated(who)
    case 'group.updated':
      return event.title === undefined ? t.groupUpdated(who) : t.groupRenamed(who, event.title)
    case 'member.added':
      return t.memberAdded(who, whom)
    case 'member.joined':
      return t.memberJoined(whom || who)
    case 'member.left':
      return t.memberLeft(whom || who)
    case 'member.removed':
      return t.memberRemoved(who, whom)
    case 'member.updated':
      return t.memberUpdated(who, whom)
    case 'message.pinned':
      return t.messagePinned(who)
    default:
      return body
  }
}
