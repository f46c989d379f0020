export const STYLE = `
:root {
  color-scheme: light dark;
  --back: #fbfbfa; --card: #fff; --text: #1f2328; --soft: #636c76; --line: #e3e5e8;
  --link: #0b57d0; --code: #eff1f3;
  --get: #0a6b52; --post: #0b57d0; --put: #7a5200; --patch: #7a3fb0; --delete: #b3261e; --event: #0f6674;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #111418; --card: #181c21; --text: #e4e7eb; --soft: #9aa4af; --line: #2b3138;
    --link: #8ab4f8; --code: #22282f;
    --get: #5fd3b0; --post: #8ab4f8; --put: #f0c274; --patch: #d0a8f5; --delete: #f5938c; --event: #74d2e0;
  }
}
* { box-sizing: border-box }
html { scroll-padding-top: 1rem }
body {
  margin: 0; background: var(--back); color: var(--text);
  font: 16px/1.6 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;
}
.page { display: grid; grid-template-columns: 19rem minmax(0, 1fr); max-width: 78rem; margin: 0 auto }
nav {
  position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.5rem 1rem 3rem;
  border-right: 1px solid var(--line); font-size: .8125rem;
}
nav .brand { font-size: 1.125rem; font-weight: 650; color: var(--text) }
nav .version { margin: 0 0 1rem; color: var(--soft) }
nav ul { list-style: none; margin: 0 0 1rem; padding: 0 }
nav li a { display: block; padding: .2rem .4rem; border-radius: .35rem; color: var(--soft); overflow-wrap: anywhere }
nav li a:hover { background: var(--code); color: var(--text); text-decoration: none }
main { padding: 2.5rem clamp(1rem, 4vw, 3rem) 6rem; min-width: 0 }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.02em }
h2 { font-size: 1.375rem; margin: 3rem 0 1rem; letter-spacing: -.01em }
h3 { font-size: 1rem; margin: 0 0 .5rem; display: flex; flex-wrap: wrap; align-items: center; gap: .5rem }
h4 { font-size: .75rem; font-weight: 600; color: var(--soft); margin: 1.25rem 0 .4rem }
p { margin: .25rem 0 .75rem }
.lead { font-size: 1.0625rem; color: var(--soft) }
a { color: var(--link); text-decoration: none }
a:hover { text-decoration: underline }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: .2rem }
code { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; background: var(--code); padding: .1em .35em; border-radius: .3rem; overflow-wrap: anywhere }
pre { font: .8125rem/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; background: var(--code); padding: .75rem 1rem; border-radius: .5rem; overflow-x: auto }
h3 code { background: none; padding: 0; font-size: 1rem }
.rules { padding-left: 1.1rem } .rules li { margin: .35rem 0 }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.1rem 1.25rem; margin: 0 0 1rem }
.card:target { border-color: var(--link) }
.method { font: 700 .6875rem/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; color: var(--soft) }
h3 .method { font-size: .8125rem }
.get { color: var(--get) } .post, .call { color: var(--post) } .put { color: var(--put) }
.patch { color: var(--patch) } .delete { color: var(--delete) } .event { color: var(--event) }
.access { margin-left: auto; font-size: .75rem; font-weight: 500; color: var(--soft); border: 1px solid var(--line); border-radius: 1rem; padding: .05rem .6rem }
.access.admin { color: var(--put); border-color: currentColor }
.note, .bounds { color: var(--soft); font-size: .875rem }
.fields { overflow-x: auto } td code, .bounds { white-space: nowrap }
table { border-collapse: collapse; width: 100%; font-size: .875rem }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: .75rem }
th, td { padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
tbody tr:last-child td { border-bottom: 0 }
tr:target td { background: var(--code) }
td:first-child { white-space: nowrap; width: 12rem } td:nth-child(2) { width: 11rem }
td i { color: var(--soft); font-size: .75rem }
.answers { list-style: none; margin: 0; padding: 0; font-size: .875rem }
.status { font-variant-numeric: tabular-nums; margin-right: .5rem }
details { margin-top: 1rem; font-size: .875rem } summary { color: var(--soft); cursor: pointer }
.codes { margin: .5rem 0 0; line-height: 2 }
@media (max-width: 52rem) {
  .page { display: block }
  nav { position: static; height: auto; max-height: 45vh; border-right: 0; border-bottom: 1px solid var(--line) }
  td:first-child, td:nth-child(2) { width: auto }
}
`
