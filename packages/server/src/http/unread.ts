import { getUnread } from '../domain/chats.ts'
import { type Answer, type Call, ok } from './route.ts'

export async function onGetUnread({ core, actor }: Call): Promise<Answer> {
  return ok(await getUnread(core, actor))
}
