import { ChatId, closed, type InviteBody, InviteCode } from '@microchatter/protocol'
import type { Static } from 'typebox'
import {
  createInvite,
  joinByInvite,
  listInvites,
  previewInvite,
  revokeInvite,
} from '../domain/invites.ts'
import type { ChatParams } from './chats.ts'
import { type Answer, type Call, created, NOTHING, ok } from './route.ts'

export const CodeParams = closed({ code: InviteCode })
export type CodeParams = Static<typeof CodeParams>
export const InviteParams = closed({ chatId: ChatId, code: InviteCode })
export type InviteParams = Static<typeof InviteParams>

export async function onCreateInvite(
  call: Call<{ params: ChatParams; body: InviteBody }>,
): Promise<Answer> {
  return created(await createInvite(call.core, call.actor, call.params.chatId, call.body))
}

export async function onListInvites(call: Call<{ params: ChatParams }>): Promise<Answer> {
  return ok(await listInvites(call.core, call.actor, call.params.chatId))
}

export async function onRevokeInvite({
  core,
  actor,
  params,
}: Call<{ params: InviteParams }>): Promise<Answer> {
  await revokeInvite(core, actor, params.chatId, params.code)
  return NOTHING
}

export async function onPreviewInvite(call: Call<{ params: CodeParams }>): Promise<Answer> {
  return ok(await previewInvite(call.core, call.params.code))
}

export async function onJoinByInvite(call: Call<{ params: CodeParams }>): Promise<Answer> {
  return ok(await joinByInvite(call.core, call.actor, call.params.code))
}
