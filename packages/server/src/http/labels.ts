import { listLabels } from '../domain/labels.ts'
import { type Answer, type Call, ok } from './route.ts'

export async function onListLabels({ core, actor }: Call): Promise<Answer> {
  return ok(await listLabels(core, actor))
}
