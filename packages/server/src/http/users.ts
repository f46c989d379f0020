import {
  closed,
  type ListUsersQuery,
  type RegisterBody,
  type UpdateUserBody,
  Username,
} from '@microchatter/protocol'
import { type Static, Type } from 'typebox'
import { deleteUser, editUser, getUser, listUsers, registerUser } from '../domain/users.ts'
import { type Answer, type Call, created, NOTHING, ok } from './route.ts'

export const UserParams = closed({
  username: Type.String({ ...Username, description: 'A username; `me` is oneself.' }),
})
export type UserParams = Static<typeof UserParams>

export async function onRegisterUser(call: Call<{ body: RegisterBody }>): Promise<Answer> {
  return created(await registerUser(call.core, call.actor, call.body, call.once))
}

export async function onListUsers(call: Call<{ query: ListUsersQuery }>): Promise<Answer> {
  return ok(await listUsers(call.core, call.actor, call.query))
}

export async function onGetUser(call: Call<{ params: UserParams }>): Promise<Answer> {
  return ok(await getUser(call.core, call.actor, call.params.username))
}

export async function onEditUser(
  call: Call<{ params: UserParams; body: UpdateUserBody }>,
): Promise<Answer> {
  return ok(await editUser(call.core, call.actor, call.params.username, call.body))
}

export async function onDeleteUser(call: Call<{ params: UserParams }>): Promise<Answer> {
  await deleteUser(call.core, call.actor, call.params.username)
  return NOTHING
}
