import type { ListOpenGroupsQuery } from '@microchatter/protocol'
import { listOpenGroups } from '../domain/groups.ts'
import { joinOpenGroup } from '../domain/members.ts'
import type { ChatParams } from './chats.ts'
import { type Answer, type Call, ok } from './route.ts'

export async function onListOpenGroups(
  call: Call<{ query: ListOpenGroupsQuery }>,
): Promise<Answer> {
  return ok(await listOpenGroups(call.core, call.actor, call.query))
}

export async function onJoinOpenGroup(call: Call<{ params: ChatParams }>): Promise<Answer> {
  return ok(await joinOpenGroup(call.core, call.actor, call.params.chatId))
}
