import { getUnread } from '../domain/chats.ts'
import { markAllRead } from '../domain/unread.ts'
import { type Answer, type Call, ok } from './route.ts'

export async function onGetUnread({ core, actor }: Call): Promise<Answer> {
  return ok(await getUnread(core, actor))
}

export async function onMarkAllRead({ core, actor }: Call): Promise<Answer> {
  return ok(await markAllRead(core, actor))
}
