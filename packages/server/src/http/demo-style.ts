const DARK = `
  --back: #0e1116; --card: #161b22; --text: #e6e9ee; --soft: #98a2b0; --line: #272e38;
  --accent: #8ab4f8; --code: #1b212a; --anna: #7c5cd6; --ben: #1a8f7d; color-scheme: dark`

export const DEMO_STYLE = `
:root {
  --back: #f4f5f7; --card: #fff; --text: #1a1f27; --soft: #5d6774; --line: #dfe3e8;
  --accent: #0b57d0; --code: #eceff3; --anna: #6b4bc4; --ben: #117a69; color-scheme: light;
}
@media (prefers-color-scheme: dark) { :root:not([data-theme='light']) {${DARK} } }
:root[data-theme='dark'] {${DARK} }
* { box-sizing: border-box }
[hidden] { display: none }
body {
  margin: 0 auto; max-width: 112rem; height: max(100vh, 44rem); height: max(100dvh, 44rem);
  padding: 1.25rem clamp(.75rem, 2vw, 2rem); display: flex; flex-direction: column; gap: 1rem;
  background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;
}
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1.25rem }
h1 { margin: 0; font-size: 1.25rem; font-weight: 680; letter-spacing: -.02em }
h1 span { color: var(--soft); font-weight: 450 }
header p { margin: 0; flex: 1 1 20rem; color: var(--soft) }
.tools { display: flex; align-items: center; gap: .5rem }
.tools a { color: var(--soft); padding: 0 .4rem; text-decoration: none }
.tools a:hover { color: var(--accent) }
button, select {
  font: inherit; font-size: .875rem; color: var(--text); background: var(--card); cursor: pointer;
  border: 1px solid var(--line); border-radius: .6rem; padding: .35rem .75rem; min-height: 2.25rem;
}
button:hover, select:hover { border-color: var(--soft) }
button:focus-visible, select:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
.tabs { display: none; gap: .25rem; padding: .25rem; background: var(--code); border-radius: .8rem }
.tabs button { flex: 1; border-color: transparent; background: none; color: var(--soft) }
.tabs [aria-selected='true'] { background: var(--card); color: var(--text); box-shadow: 0 1px 2px #0002 }
main {
  flex: 1; min-height: 0; display: grid; gap: 1.25rem;
  grid-template: minmax(0, 1fr) / repeat(2, minmax(0, 1fr));
}
section { display: flex; flex-direction: column; min-height: 0; gap: .6rem }
h2 { display: flex; align-items: center; gap: .6rem; margin: 0; font-size: .9375rem; font-weight: 600 }
.face {
  display: grid; place-items: center; width: 1.75rem; height: 1.75rem; border-radius: 50%;
  color: #fff; font-size: .6875rem; font-weight: 650; letter-spacing: .02em;
}
#anna .face { background: var(--anna) } #ben .face { background: var(--ben) }
.box {
  flex: 1; min-height: 0; display: grid; grid-template: minmax(0, 1fr) / minmax(0, 1fr);
  overflow: hidden; background: var(--card);
  border: 1px solid var(--line); border-radius: 1rem; box-shadow: 0 1px 2px #0000000d, 0 8px 24px #0000000d;
}
micro-chatter { display: block; min-width: 0; min-height: 0 }
footer {
  display: grid; grid-template-columns: minmax(16rem, 1fr) auto auto; align-items: center; gap: .75rem 1.25rem;
  color: var(--soft); font-size: .875rem;
}
footer p { margin: 0 } footer code { white-space: nowrap }
code, pre { font: .8125rem/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
code { background: var(--code); border-radius: .3rem; padding: .1em .35em }
pre {
  margin: 0; min-width: 0; overflow-x: auto; color: var(--text); background: var(--card);
  border: 1px solid var(--line); border-radius: .6rem; padding: .5rem .85rem;
}
@media (max-width: 60rem) {
  body { height: auto; padding: .75rem; gap: .75rem }
  header p { flex-basis: 100%; order: 1 }
  header { gap: .25rem .5rem; align-items: center }
  h1 { font-size: 1.125rem }
  .tools { margin-left: auto }
  .tools a { display: none }
  .tabs { display: flex }
  main { display: block }
  h2, main[data-shown='anna'] #ben, main[data-shown='ben'] #anna { display: none }
  .box { flex: none; height: max(26rem, 100vh - 10.5rem); height: max(26rem, 100dvh - 10.5rem); border-radius: .8rem }
  footer { grid-template-columns: minmax(0, 1fr) auto }
  footer p { grid-column: 1 / -1 }
}
`
