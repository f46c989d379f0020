/** The guides: what their code blocks say is what happens. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { skipBrowser } from '../../server/test/support/browser.ts'
import { jwtFor, newName, Person, SECRET } from '../../server/test/support/server.ts'
import { message, openStage, row, say, type Stage } from './people.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

async function blockOf(document: string, info: string): Promise<string> {
  const text = await readFile(join(ROOT, 'docs/guide', document), 'utf8')
  const [, code] = text.split(`\n\`\`\`${info}\n`)
  assert(code !== undefined, `${document} has no block "${info}"`)
  return `${code.split('\n```')[0]}\n`
}

/** With the packages of the repository. */
async function folderOf(t: TestContext | { after(work: () => unknown): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'microchatter-guide-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction')
  return folder
}

describe('the guides', { skip: skipBrowser() }, () => {
  let stage: Stage
  before(async () => {
    stage = await openStage()
  })
  after(() => stage.close())

  test('inbox.md: the site of the guide, and two people in it', async (t) => {
    const folder = await folderOf(t)
    await writeFile(join(folder, 'site.mjs'), await blockOf('inbox.md', 'js site'))
    const port = 20_000 + Math.floor(Math.random() * 20_000)
    const env = {
      PATH: process.env.PATH,
      PORT: String(port),
      CHAT_URL: stage.server.url,
      MICROCHATTER_JWT_SECRET: SECRET,
    }
    const site: ChildProcess = spawn(process.execPath, ['site.mjs'], {
      cwd: folder,
      env,
      stdio: 'inherit',
    })
    t.after(() => site.kill())
    const url = `http://127.0.0.1:${port}`
    for (let tries = 0; tries < 100; tries += 1) {
      if (await fetch(url).catch(() => undefined)) break
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const nobody = await (await fetch(`${url}/chat-token`)).json()
    assert.deepEqual(nobody, {})
    const open = async (name: string) => {
      const page = await (await stage.browser.newContext()).newPage()
      page.setDefaultTimeout(10_000)
      await page.goto(`${url}/${name}`)
      return page
    }
    const bob = await open('bob')
    await bob.getByText('No chats yet').waitFor()
    const ann = await open('ann')
    await ann.getByRole('button', { name: 'New chat' }).first().click()
    await ann.getByRole('dialog').getByRole('searchbox', { name: 'Name' }).fill('bob')
    await ann.getByRole('dialog').getByRole('button', { name: 'Bob Stone' }).click()
    await ann.getByRole('button', { name: 'Begin chat' }).click()
    await ann.locator('textarea').waitFor()
    await say(ann, 'It took nine minutes')
    await row(bob, 'Ann Lee').click()
    await message(bob, 'It took nine minutes').waitFor()
  })

  test('inbox.md: a user is made known by a token', async (t) => {
    const folder = await folderOf(t)
    await writeFile(join(folder, 'known.mjs'), await blockOf('inbox.md', 'js known'))
    const { makeKnown } = (await import(pathToFileURL(join(folder, 'known.mjs')).href)) as {
      makeKnown(chat: string, token: string): Promise<Response>
    }
    const [ann, name] = [await stage.person('Ann Lee'), newName()]
    assert.equal((await ann.fetch('GET', `/chats?with=${name}`)).status, 404)
    assert.equal((await makeKnown(stage.server.url, await jwtFor(name))).status, 200)
    assert.deepEqual(await ann.chats(`?with=${name}`), [])
  })

  for (const [language, command, call] of [
    ['php', 'php', `echo chat_token($argv[1], 'Pia Hop');`],
    ['python', 'python3', `import sys; print(chat_token(sys.argv[1], "Pia Hop"))`],
  ] as const)
    test(`inbox.md: a token by ${language}`, async (t) => {
      const folder = await folderOf(t)
      const file = join(folder, `token.${language}`)
      await writeFile(file, `${await blockOf('inbox.md', language)}\n${call}\n`)
      const env = { PATH: process.env.PATH, MICROCHATTER_JWT_SECRET: SECRET }
      const username = newName()
      const ran = await promisify(execFile)(command, [file, username], { env }).catch(
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT' && !process.env.CI) return undefined
          throw error
        },
      )
      if (!ran) return t.skip(`needs ${command}`)
      const person = new Person(stage.server, username, `Bearer ${ran.stdout.trim()}`)
      const me = await person.ask('GET', '/users/me')
      assert.deepEqual([me.username, me.displayName], [username, 'Pia Hop'])
    })

  test('theming.md: the colours, parts and texts of a page', async () => {
    const ann = await stage.person('Ann Lee')
    await (await stage.person('Bob Stone')).sendTo(ann, 'Hello')
    const { page, context } = await stage.open(ann)
    const css =
      (await blockOf('theming.md', 'css theme')) + (await blockOf('theming.md', 'css parts'))
    await page.evaluate(`{
      const sheet = new CSSStyleSheet()
      sheet.replaceSync(${JSON.stringify(css)})
      document.adoptedStyleSheets = [sheet]
    }`)
    await page.evaluate(await blockOf('theming.md', 'js texts'))
    await page
      .locator('micro-chatter')
      .evaluate((element) => element.setAttribute('theme', 'light'))
    await page.getByRole('heading', { name: 'Post' }).waitFor()
    await row(page, 'Bob Stone').click()
    await say(page, 'in green')
    const look = (selector: string, name: string) =>
      page.evaluate(
        `getComputedStyle(document.querySelector('micro-chatter').shadowRoot.querySelector('${selector}')).getPropertyValue('${name}')`,
      )
    await message(page, 'in green').getByRole('img', { name: 'Sent' }).waitFor()
    assert.equal(await look('.mine .bubble', 'background-color'), 'rgb(216, 245, 234)')
    assert.equal(await look('.theirs .bubble', 'box-shadow'), 'none')
    assert.equal(await look('.theirs .bubble', 'border-top-right-radius'), '8px')
    assert.match(String(await look('.bubble', 'font-family')), /^Georgia/)
    await context.close()
  })

  test('theming.md names the properties and parts that there are', async () => {
    const guide = await readFile(join(ROOT, 'docs/guide/theming.md'), 'utf8')
    const styles = await readFile(join(ROOT, 'packages/widget/src/styles.ts'), 'utf8')
    const namesIn = (text: string) => [...new Set(text.match(/--mc-[a-z-]+/g))].sort()
    assert.deepEqual(namesIn(guide), namesIn(styles))
  })

  test('own-interface.md: a chat by the client alone', async (t) => {
    const folder = await folderOf(t)
    await writeFile(join(folder, 'client.js'), await blockOf('own-interface.md', 'js client'))
    const { outputFiles } = await build({
      entryPoints: [join(folder, 'client.js')],
      bundle: true,
      format: 'iife',
      globalName: 'guide',
      target: 'es2022',
      write: false,
    })
    const [ann, bob] = [await stage.person('Ann Lee'), await stage.person('Bob Stone')]
    const { chatId } = await bob.sendTo(ann, 'Hello')
    const { page, context, problems } = await stage.open(ann, {
      body: await blockOf('own-interface.md', 'html page'),
    })
    await page.evaluate(outputFiles[0]?.text ?? '')
    const input = JSON.stringify([stage.server.url, ann.username])
    await page.evaluate(`guide.start(...${input}).then(() => undefined)`)
    await page.getByRole('button', { name: 'Bob Stone 1' }).click()
    await page.getByText(`${bob.username}: Hello`).waitFor()
    await page.getByRole('textbox', { name: 'Message' }).fill('By myself')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByText(`${ann.username}: By myself`).waitFor()
    assert.equal((await bob.history(chatId)).at(-1)?.body, 'By myself')
    assert.deepEqual(problems, [])
    await context.close()
  })
})
