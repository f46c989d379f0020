import { type Answer, ok, type PublicCall } from './route.ts'

export async function onOpenApi({ site }: PublicCall): Promise<Answer> {
  return ok(site.pages.openapi)
}

export async function onDocs({ site }: PublicCall): Promise<Answer> {
  return { status: 200, body: site.pages.docs, type: 'text/html; charset=utf-8' }
}

export async function onDocsStyle({ site }: PublicCall): Promise<Answer> {
  return { status: 200, body: site.pages.style, type: 'text/css; charset=utf-8' }
}
