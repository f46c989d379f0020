import { type Html, html } from './html.ts'

const PEOPLE = [
  { name: 'anna', displayName: 'Anna Lind', initials: 'AL', other: 'ben' },
  { name: 'ben', displayName: 'Ben Okafor', initials: 'BO', other: 'anna' },
]
const LANGUAGES = [
  ['en', 'English'],
  ['de', 'Deutsch'],
  ['fr', 'Français'],
  ['es', 'Español'],
  ['ar', 'العربية'],
]

/** What a page of the site needs; the script puts the address of this server before `/widget.js`. */
const SNIPPET = `<script type="module" src="/widget.js"></script>
<micro-chatter token-url="/chat-token"></micro-chatter>`

/** Its style is demo-style.ts, its script demo-script.ts. */
export const DEMO_PAGE = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Microchatter demo</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/demo/demo.css">
<script type="module" src="/widget.js"></script>
<script type="module" src="/demo/demo.js"></script>
</head>
<body>
<header>
<h1>Microchatter <span>demo</span></h1>
<p>Two people of one site, each with an inbox: write as one, and see it come at the other.</p>
<div class="tools">
<select id="language" aria-label="Language of the inboxes">${LANGUAGES.map(
  ([code, name]) => html`<option value="${code ?? ''}">${name ?? ''}</option>`,
)}</select>
<button id="theme" type="button">Dark</button>
<a href="/docs">API</a>
</div>
</header>
<div class="tabs" role="tablist" aria-label="People">${PEOPLE.map(toTab)}</div>
<main data-shown="anna">${PEOPLE.map(toPerson)}</main>
<footer>
<p>An inbox in your own page: these two lines, and an address of your back end that answers
<code>{ "token": … }</code> for who is logged in.</p>
<pre id="snippet">${SNIPPET}</pre>
<button id="copy" type="button">Copy</button>
</footer>
</body>
</html>
`.text

function toTab({ name, displayName }: (typeof PEOPLE)[number], index: number): Html {
  return html`<button type="button" role="tab" id="tab-${name}" aria-controls="${name}" aria-selected="${String(index === 0)}">${displayName}</button>`
}

function toPerson({ name, displayName, initials, other }: (typeof PEOPLE)[number]): Html {
  return html`
<section id="${name}" aria-labelledby="title-${name}">
<h2 id="title-${name}"><span class="face" aria-hidden="true">${initials}</span>${displayName}</h2>
<div class="box"><micro-chatter token-url="/demo/tokens/${name}" with="demo-${other}" theme="auto" lang="en"></micro-chatter></div>
</section>`
}
