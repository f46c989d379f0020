import type { UpdateSettingsBody } from '@microchatter/protocol'
import { editSettings, getSettings } from '../domain/settings.ts'
import { type Answer, type Call, ok } from './route.ts'

export async function onGetSettings({ core, actor }: Call): Promise<Answer> {
  return ok(await getSettings(core, actor))
}

export async function onEditSettings(call: Call<{ body: UpdateSettingsBody }>): Promise<Answer> {
  return ok(await editSettings(call.core, call.actor, call.body))
}
