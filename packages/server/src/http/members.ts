import {
  type AddMembersBody,
  ChatId,
  closed,
  type ListMembersQuery,
  type UpdateMemberBody,
  Username,
} from '@microchatter/protocol'
import { type Static, Type } from 'typebox'
import { addMembers, editMember, listMembers, removeMember } from '../domain/members.ts'
import type { ChatParams } from './chats.ts'
import { type Answer, type Call, NOTHING, ok } from './route.ts'

export const MemberParams = closed({
  chatId: ChatId,
  username: Type.String({ ...Username, description: 'A username; `me` is oneself.' }),
})
export type MemberParams = Static<typeof MemberParams>

export async function onListMembers(
  call: Call<{ params: ChatParams; query: ListMembersQuery }>,
): Promise<Answer> {
  return ok(await listMembers(call.core, call.actor, call.params.chatId, call.query))
}

export async function onAddMembers(
  call: Call<{ params: ChatParams; body: AddMembersBody }>,
): Promise<Answer> {
  return ok(await addMembers(call.core, call.actor, call.params.chatId, call.body))
}

export async function onEditMember(
  call: Call<{ params: MemberParams; body: UpdateMemberBody }>,
): Promise<Answer> {
  return ok(await editMember(call.core, call.actor, call.params, call.body))
}

export async function onRemoveMember(call: Call<{ params: MemberParams }>): Promise<Answer> {
  await removeMember(call.core, call.actor, call.params)
  return NOTHING
}
