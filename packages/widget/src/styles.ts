/**
 * One style sheet for all. What a page may set: the `--mc-…` properties in `:host`; each has a light and a dark
 * value, and `theme` says which. Everything is by logical sides, so right-to-left needs nothing of its own.
 */
import { css } from 'lit'

const TOKENS = css`
  :host {
    --accent: var(--mc-accent, light-dark(#3a5bd9, #6d8bff));
    --on-accent: var(--mc-on-accent, light-dark(#fff, #0b1020));
    --mine: var(--mc-mine, light-dark(#dfe6ff, #2b3a78));
    --on-mine: var(--mc-on-mine, light-dark(#131a33, #f1f4ff));
    --theirs: var(--mc-theirs, light-dark(#fff, #23262f));
    --back: var(--mc-background, light-dark(#f3f4f7, #14161b));
    --surface: var(--mc-surface, light-dark(#fff, #1b1e25));
    --hover: var(--mc-hover, light-dark(#f0f2f7, #262a33));
    --chosen: var(--mc-chosen, light-dark(#e7ecff, #2a3252));
    --text: var(--mc-text, light-dark(#171a21, #eceef3));
    --muted: var(--mc-muted, light-dark(#5b6270, #a2a9b8));
    --line: var(--mc-line, light-dark(#e3e6ec, #2c303a));
    --danger: var(--mc-danger, light-dark(#c02a37, #ff8a8f));
    --online: var(--mc-online, light-dark(#1f9d57, #4cc88a));
    --radius: var(--mc-radius, 16px);
    --font: var(--mc-font, 15px/1.4 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif, 'Apple Color Emoji', 'Segoe UI Emoji', 'Noto Color Emoji');
    --shadow: 0 1px 2px light-dark(#10162a14, #0006), 0 8px 28px light-dark(#10162a24, #0009);
    display: block;
    box-sizing: border-box;
    color-scheme: light dark;
    color: var(--text);
    font: var(--font);
    container-type: size;
    height: 100%;
    min-height: 320px;
    text-align: start;
  }
  :host([theme='light']) { color-scheme: light; }
  :host([theme='dark']) { color-scheme: dark; }
  :host([hidden]) { display: none; }
  *, *::before, *::after { box-sizing: border-box; }
  h2, h3, p, ul, fieldset, figure { margin: 0; padding: 0; }
  ul { list-style: none; }
  button, input, textarea, select { font: inherit; color: inherit; }
  button { border: 0; background: none; padding: 0; cursor: pointer; text-align: inherit; }
  button:disabled { opacity: 0.45; cursor: default; }
  a { color: inherit; text-underline-offset: 2px; }
  small, time { font-size: 12px; color: var(--muted); }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  [hidden] { display: none !important; }
  .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  .icon { width: 20px; height: 20px; flex: none; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; display: block; }
  [dir='rtl'] .icon.flips { transform: scaleX(-1); }
  /* The letters of a name go their way; where it stands is the page's. */
  [dir='rtl'] :is(.line, .lines, .two-lines, .who, .person) [dir='auto'] { text-align: right; }
  @media (hover: none) { .bubble, .entry { -webkit-touch-callout: none; user-select: none; -webkit-user-select: none; } }
`

const LAYOUT = css`
  .root { height: 100%; position: relative; background: var(--surface); overflow: hidden; border-radius: inherit; }
  .inbox { display: grid; grid-template: 100% / clamp(240px, 34%, 340px) 1fr; }
  .inbox.has-side { grid-template-columns: minmax(240px, 300px) 1fr minmax(280px, 340px); }
  .inbox.single { grid-template-columns: 1fr; }
  .inbox.single.has-side { grid-template-columns: 1fr minmax(260px, 320px); }
  .pane { min-width: 0; min-height: 0; height: 100%; display: flex; flex-direction: column; overflow: hidden; }
  .pane.list { border-inline-end: 1px solid var(--line); }
  .pane.side { border-inline-start: 1px solid var(--line); background: var(--surface); }
  mc-list, mc-conversation, mc-details, mc-search { display: flex; flex-direction: column; flex: 1; min-height: 0; }
  .tool.back { display: none; }
  @container (max-width: 1020px) {
    .inbox.has-side, .inbox.single.has-side { grid-template-columns: clamp(240px, 34%, 340px) 1fr; }
    .inbox.single.has-side { grid-template-columns: 1fr; }
    .inbox.has-side .pane.chat { display: none; }
    .inbox.single.has-side .pane.chat { display: none; }
  }
  @container (max-width: 620px) {
    .inbox, .inbox.has-side { grid-template-columns: 1fr; }
    .inbox.shows-list .pane.chat, .inbox.shows-chat .pane.list { display: none; }
    .inbox.shows-chat.has-side .pane.chat { display: none; }
    .pane.list, .pane.side { border: 0; }
    .tool.back { display: grid; }
    .message .row { max-width: 100%; }
  }
  .head { display: flex; align-items: center; gap: 6px; padding: 10px 12px; min-height: 60px; flex: none; border-bottom: 1px solid var(--line); }
  .pane.list .head { border: 0; padding-inline-start: 18px; }
  .head h2 { flex: 1; font-size: 19px; font-weight: 680; letter-spacing: -0.01em; }
  .tool { width: 38px; height: 38px; border-radius: 50%; display: grid; place-items: center; color: var(--muted); flex: none; transition: background 0.12s; }
  .tool:hover { background: var(--hover); color: var(--text); }
  .tool.strong { background: var(--accent); color: var(--on-accent); }
  .tool.strong:hover { filter: brightness(1.08); }
  .two-lines { display: flex; flex-direction: column; min-width: 0; flex: 1; line-height: 1.25; }
  .two-lines > * { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .empty { margin: auto; padding: 32px; text-align: center; color: var(--muted); display: grid; justify-items: center; gap: 8px; }
  .root > .empty { height: 100%; align-content: center; }
  .empty h3 { color: var(--text); font-size: 17px; }
  .empty > .icon { width: 52px; height: 52px; stroke-width: 1.2; color: var(--accent); opacity: 0.75; }
  .empty.small { padding: 36px 20px; }
  .primary { background: var(--accent); color: var(--on-accent); border-radius: 999px; padding: 9px 18px; font-weight: 600; text-align: center; }
  .primary:hover:not(:disabled) { filter: brightness(1.07); }
  .primary.danger { background: var(--danger); color: light-dark(#fff, #220a0c); }
  .danger { color: var(--danger); }
  .quiet { color: light-dark(#2746c7, #b3c3ff); font-weight: 600; padding: 4px 0; }
  .buttons { display: flex; gap: 10px; justify-content: flex-end; align-items: center; flex-wrap: wrap; }
  .buttons button:not(.primary) { padding: 9px 14px; border-radius: 999px; font-weight: 600; }
  .buttons button:not(.primary):hover { background: var(--hover); }
  .badge { background: var(--accent); color: var(--on-accent); border-radius: 999px; min-width: 20px; height: 20px; padding: 0 6px; font-size: 12px; font-weight: 700; display: inline-grid; place-items: center; line-height: 1; flex: none; }
  .badge.dim { background: var(--muted); color: var(--surface); }
  .loading { width: 26px; height: 26px; margin: 28px auto; border-radius: 50%; border: 3px solid var(--line); border-top-color: var(--accent); animation: turn 0.8s linear infinite; }
  @keyframes turn { to { transform: rotate(360deg); } }
  .toast { position: absolute; inset-block-end: 84px; inset-inline: 0; margin-inline: auto; width: fit-content; max-width: min(90%, 460px); background: light-dark(#20242e, #eceef3); color: light-dark(#fff, #14161b); border-radius: 12px; padding: 10px 16px; box-shadow: var(--shadow); z-index: 5; animation: rise 0.18s ease-out; }
  @keyframes rise { from { transform: translateY(10px); opacity: 0; } }
  .avatar { position: relative; width: 46px; height: 46px; border-radius: 50%; flex: none; display: grid; place-items: center; font-weight: 650; font-size: 16px; color: light-dark(#fff, #10131a); background: light-dark(hsl(var(--hue) 48% 32%), hsl(var(--hue) 62% 76%)); user-select: none; }
  .avatar img { width: 100%; height: 100%; border-radius: 50%; object-fit: cover; }
  .dot { position: absolute; inset-block-end: 0; inset-inline-end: 0; width: 13px; height: 13px; border-radius: 50%; border: 2.5px solid var(--surface); background: var(--online); }
  .dot.away { background: light-dark(#d99a1c, #efc15f); }
  .hue-0 { --hue: 222; } .hue-1 { --hue: 168; } .hue-2 { --hue: 20; } .hue-3 { --hue: 276; }
  .hue-4 { --hue: 340; } .hue-5 { --hue: 196; } .hue-6 { --hue: 96; } .hue-7 { --hue: 42; }
`

const LIST = css`
  .search { display: flex; align-items: center; gap: 8px; margin: 0 14px 8px; padding: 0 12px; height: 40px; border-radius: 999px; background: var(--back); color: var(--muted); flex: none; border: 1px solid transparent; }
  .search:focus-within { border-color: var(--accent); }
  .search input { flex: 1; min-width: 0; border: 0; background: none; outline: 0; color: var(--text); }
  .side .search { margin-top: 12px; }
  ::placeholder { color: var(--muted); opacity: 1; }
  .filters { display: flex; gap: 6px; padding: 2px 14px 8px; overflow-x: auto; scrollbar-width: none; flex: none; }
  .filters button { padding: 5px 13px; border-radius: 999px; color: var(--muted); font-size: 13.5px; font-weight: 580; white-space: nowrap; background: var(--back); }
  .filters button[aria-pressed='true'] { background: var(--chosen); color: var(--text); }
  .filters .count { color: var(--accent); font-weight: 700; }
  .chats { overflow-y: auto; flex: 1; padding: 2px 8px 12px; scrollbar-width: thin; scrollbar-color: var(--line) transparent; }
  .chats.inner { overflow: visible; flex: none; padding: 0; }
  .chats li { content-visibility: auto; contain-intrinsic-size: auto 66px; }
  .entry { display: flex; align-items: center; gap: 12px; width: 100%; padding: 9px 10px; border-radius: 14px; }
  .entry:hover { background: var(--hover); }
  .entry[aria-current='true'], .entry[aria-pressed='true'] { background: var(--chosen); }
  .entry:focus-visible { outline-offset: -2px; }
  .lines { flex: 1; min-width: 0; display: flex; flex-direction: column; gap: 2px; }
  .line { display: flex; align-items: center; gap: 6px; min-width: 0; }
  .line b, .lines > b { flex: 1; font-weight: 620; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .line .last { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--muted); font-size: 14px; text-align: start; }
  .line .last.two { white-space: normal; display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; }
  .line em { font-style: normal; color: var(--accent); }
  .line em.draft { color: var(--danger); }
  .line .icon { width: 15px; height: 15px; color: var(--muted); }
  .section h3 { padding: 12px 10px 4px; font-size: 13px; color: var(--muted); }
  .skeleton { height: 58px; margin: 4px 10px; border-radius: 14px; background: linear-gradient(90deg, var(--back), var(--hover), var(--back)) 0 / 300% 100%; animation: shine 1.6s linear infinite; }
  @keyframes shine { to { background-position: -300% 0; } }
`

const CONVERSATION = css`
  .conversation { position: relative; display: flex; flex-direction: column; flex: 1; min-height: 0; background: var(--back); }
  .conversation .head { background: var(--surface); }
  .who { display: flex; gap: 11px; align-items: center; flex: 1; min-width: 0; border-radius: 12px; }
  .who .avatar { width: 40px; height: 40px; font-size: 14px; }
  .who b { font-weight: 650; }
  .notice { display: flex; gap: 8px; align-items: center; padding: 8px 16px; font-size: 13.5px; background: light-dark(#fff4d6, #3a3115); color: light-dark(#5c4300, #ffe3a0); flex: none; }
  mc-log { position: relative; flex: 1; min-height: 0; display: block; }
  .log { height: 100%; overflow: hidden auto; overflow-anchor: none; overscroll-behavior: contain; scrollbar-width: thin; scrollbar-color: var(--line) transparent; outline-offset: -3px; }
  .content { display: flex; flex-direction: column; justify-content: flex-end; min-height: 100%; padding: 14px 18px 26px; }
  .day, .divider, .system { align-self: center; margin: 14px 0 8px; font-size: 12.5px; color: var(--muted); text-align: center; }
  .day span { background: var(--surface); border-radius: 999px; padding: 4px 12px; box-shadow: 0 1px 2px #0000000f; }
  .divider { scroll-margin-top: 14px; align-self: stretch; display: flex; align-items: center; gap: 12px; color: var(--accent); font-weight: 650; }
  .divider::before, .divider::after { content: ''; flex: 1; height: 1px; background: currentColor; opacity: 0.35; }
  .system { margin: 8px 0; max-width: 80%; }
  .beginning { margin: auto; padding: 40px 20px; text-align: center; color: var(--muted); }
  .wave-hand { font-size: 40px; }
  .message { display: flex; gap: 8px; margin-top: 2px; border-radius: 12px; }
  .message.first { margin-top: 10px; }
  .message.mine { justify-content: flex-end; }
  .message.marked .bubble { animation: flash 1.5s ease-out; }
  @keyframes flash { 0%, 50% { box-shadow: 0 0 0 3px var(--accent); } }
  .message .side { width: 30px; display: flex; align-items: flex-end; flex: none; }
  .message .side .avatar { width: 30px; height: 30px; font-size: 11px; }
  .column { display: flex; flex-direction: column; align-items: flex-start; max-width: min(76%, 560px); min-width: 0; }
  .mine .column { align-items: flex-end; }
  .name { font-size: 12.5px; font-weight: 650; color: var(--muted); margin: 0 12px 3px; }
  .row { display: flex; align-items: center; gap: 4px; position: relative; max-width: 100%; }
  .mine .row { flex-direction: row-reverse; }
  .bubble { position: relative; min-width: 64px; max-width: 100%; padding: 7px 12px 6px; border-radius: var(--radius); background: var(--theirs); color: var(--text); box-shadow: 0 1px 1px #0000000d; overflow-wrap: anywhere; display: flow-root; }
  .mine .bubble { background: var(--mine); color: var(--on-mine); }
  .theirs:not(.last) .bubble { border-end-start-radius: 5px; }
  .theirs:not(.first) .bubble { border-start-start-radius: 5px; }
  .mine:not(.last) .bubble { border-end-end-radius: 5px; }
  .mine:not(.first) .bubble { border-start-end-radius: 5px; }
  .bubble.bare { padding: 3px; background: none; box-shadow: none; }
  .bubble.large { background: none; box-shadow: none; padding-inline: 4px; }
  .bubble.large .text { font-size: 40px; line-height: 1.15; }
  .bubble.gone { color: var(--muted); background: none; border: 1px dashed var(--line); box-shadow: none; }
  .text { white-space: pre-wrap; display: inline; }
  .mention { color: var(--accent); font-weight: 620; }
  .mine .mention, .mine .quiet { color: inherit; }
  .meta { float: inline-end; display: inline-flex; align-items: center; gap: 4px; margin-block: 5px 0; margin-inline: 10px -2px; font-size: 11.5px; line-height: 15px; color: var(--muted); white-space: nowrap; user-select: none; }
  .mine .meta, .mine .meta time, .mine .quote span, .mine .card small, .mine .poll small, .mine .download small { color: color-mix(in srgb, var(--on-mine) 72%, var(--mine)); }
  .large .meta, .large .meta time, .bare .meta time, .gone .meta, .gone .meta time { color: var(--muted) !important; }
  .meta time { font-size: inherit; }
  .meta .icon { width: 14px; height: 14px; }
  .ticks .icon { width: 16px; height: 16px; }
  .ticks.read { color: light-dark(#2746c7, #9db2ff); }
  .actions { position: absolute; inset-block-start: 50%; translate: 0 -50%; inset-inline-start: calc(100% + 4px); display: flex; opacity: 0; pointer-events: none; transition: opacity 0.12s; background: var(--surface); border: 1px solid var(--line); border-radius: 999px; padding: 1px; z-index: 1; }
  .mine .actions { inset-inline: auto calc(100% + 4px); }
  .message:hover .actions, .message:focus .actions, .message:has(.actions :focus-visible) .actions { opacity: 1; pointer-events: auto; }
  @container (max-width: 560px) { .actions, .mine .actions { inset-block-start: -14px; inset-inline: auto 4px; } }
  .actions .tool { width: 30px; height: 30px; }
  .actions .icon { width: 17px; height: 17px; }
  @media (hover: none) { .actions { display: none; } }
  .label { display: flex; align-items: center; gap: 4px; font-size: 12.5px; font-style: italic; opacity: 0.8; }
  .label .icon { width: 14px; height: 14px; }
  .quote { display: grid; width: 100%; padding: 5px 10px; margin: 1px 0 5px; border-radius: 9px; border-inline-start: 3px solid var(--accent); background: light-dark(#0000000a, #ffffff12); font-size: 13.5px; }
  .quote b { font-size: 12.5px; color: light-dark(#2746c7, #b3c3ff); }
  .quote span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--muted); }
  .reactions { display: flex; flex-wrap: wrap; gap: 4px; margin: -5px 8px 2px; position: relative; }
  .reaction { display: inline-flex; align-items: center; gap: 4px; padding: 1px 8px; border-radius: 999px; font-size: 14px; background: var(--surface); border: 1.5px solid var(--line); }
  .reaction span { font-size: 12px; color: var(--muted); }
  .reaction[aria-pressed='true'] { border-color: var(--accent); background: var(--chosen); }
  .reaction[aria-pressed='true'] span { color: var(--text); }
  .thread-link { display: inline-flex; gap: 6px; align-items: center; color: light-dark(#2746c7, #b3c3ff); font-weight: 620; font-size: 13px; padding: 3px 10px; border-radius: 8px; }
  .thread-link:hover { background: var(--hover); }
  .thread-link .icon { width: 16px; height: 16px; }
  .pending .bubble { opacity: 0.75; }
  .failed .bubble { opacity: 1; outline: 1.5px solid var(--danger); }
  .failure { font-size: 12.5px; color: var(--danger); display: flex; gap: 10px; margin: 3px 6px; flex-wrap: wrap; justify-content: flex-end; }
  .failure button { font-weight: 650; text-decoration: underline; }
  .to-end { position: absolute; inset-block-end: 12px; inset-inline-end: 18px; width: 42px; height: 42px; border-radius: 50%; background: var(--surface); box-shadow: var(--shadow); display: grid; place-items: center; animation: rise 0.15s ease-out; }
  .to-end .badge { position: absolute; top: -8px; inset-inline-end: -4px; }
  .typists { display: flex; gap: 8px; align-items: center; height: 22px; margin-block-start: -22px; position: relative; padding: 0 22px; pointer-events: none; font-size: 13px; color: var(--muted); flex: none; }
  .dots { display: inline-flex; gap: 3px; }
  .dots i { width: 6px; height: 6px; border-radius: 50%; background: var(--muted); animation: hop 1.1s infinite; }
  .dots i:nth-child(2) { animation-delay: 0.15s; } .dots i:nth-child(3) { animation-delay: 0.3s; }
  @keyframes hop { 0%, 60%, 100% { transform: none; } 30% { transform: translateY(-4px); } }
  .foot { padding: 14px 18px; text-align: center; color: var(--muted); background: var(--surface); border-top: 1px solid var(--line); flex: none; }
  .foot button { font-weight: 620; }
  .foot.request { display: flex; flex-wrap: wrap; gap: 10px; align-items: center; justify-content: space-between; text-align: start; }
  .foot.request b { color: var(--text); }
  .drop { position: absolute; inset: 12px; display: none; place-items: center; font-weight: 650; font-size: 18px; color: var(--accent); background: color-mix(in srgb, var(--surface) 88%, transparent); border: 2.5px dashed var(--accent); border-radius: 18px; z-index: 2; pointer-events: none; }
  .dragged .drop { display: grid; }
`

const CONTENT = css`
  .visual { display: grid; gap: 3px; border-radius: 13px; overflow: hidden; margin-bottom: 2px; }
  .visual.count-2, .visual.count-3, .visual.count-4 { grid-template-columns: 1fr 1fr; }
  mc-file { display: block; max-width: 100%; }
  mc-file.image, mc-file.video { width: var(--width, 240px); aspect-ratio: var(--ratio, 1.33); position: relative; }
  .visual:not(.count-1) mc-file { width: 160px; aspect-ratio: 1; }
  mc-file video { width: 100%; height: 100%; border-radius: 13px; background: #000; }
  .image { display: block; width: 100%; height: 100%; border-radius: 13px; overflow: hidden; background: var(--line); position: relative; }
  .image canvas, .image img { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: cover; }
  .image img { animation: appear 0.25s; }
  @keyframes appear { from { opacity: 0; } }
  .sound { display: flex; align-items: center; gap: 10px; width: 250px; max-width: 100%; padding: 4px 0; }
  .round { width: 38px; height: 38px; border-radius: 50%; background: var(--accent); color: var(--on-accent); display: grid; place-items: center; flex: none; }
  .sound .icon { fill: currentColor; stroke-width: 1; }
  .wave { flex: 1; min-width: 0; height: 30px; fill: color-mix(in srgb, currentColor 32%, transparent); }
  .wave .played { fill: var(--accent); }
  .length { font-size: 12px; font-variant-numeric: tabular-nums; }
  .download { display: flex; gap: 10px; align-items: center; width: 250px; max-width: 100%; padding: 4px 0; }
  .poll { border: 0; display: grid; gap: 9px; min-width: 220px; padding: 2px 0 4px; }
  .poll legend { font-weight: 650; padding: 0 0 8px; }
  .poll label { display: grid; grid-template-columns: auto 1fr auto; gap: 2px 9px; align-items: center; cursor: pointer; }
  .poll input { accent-color: var(--accent); width: 17px; height: 17px; margin: 0; }
  .poll progress { grid-column: 2 / 4; width: 100%; }
  .votes { font-size: 13px; font-variant-numeric: tabular-nums; }
  progress { appearance: none; border: 0; height: 5px; border-radius: 9px; background: light-dark(#0000001a, #ffffff26); overflow: hidden; }
  progress::-webkit-progress-bar { background: none; }
  progress::-webkit-progress-value { background: var(--accent); border-radius: 9px; }
  progress::-moz-progress-bar { background: var(--accent); border-radius: 9px; }
  .card { display: grid; gap: 4px; margin-top: 5px; padding: 9px 11px; border-radius: 11px; background: light-dark(#0000000a, #ffffff12); font-size: 14px; min-width: 200px; }
  .card > img { width: 100%; max-height: 180px; object-fit: cover; border-radius: 8px; }
  .card b { display: flex; gap: 5px; align-items: center; }
  .card > button, .card .button { text-align: center; border: 1.5px solid var(--line); border-radius: 999px; padding: 6px 12px; font-weight: 620; background: var(--surface); color: var(--text); }
  .card .button a { text-decoration: none; }
  .preview mc-file { --width: 100% !important; width: 100% !important; aspect-ratio: 1.9 !important; }
`

const COMPOSER = css`
  mc-composer { flex: none; background: var(--surface); border-top: 1px solid var(--line); }
  .composer { display: block; padding: 9px 12px; }
  .bar { display: flex; align-items: flex-end; gap: 4px; }
  textarea { flex: 1; min-width: 0; resize: none; border: 1px solid transparent; outline: 0; border-radius: 20px; background: var(--back); padding: 9px 15px; max-height: 168px; line-height: 20px; overflow-y: auto; scrollbar-width: thin; }
  textarea:focus { border-color: var(--accent); outline: 0; }
  .send { width: 40px; height: 40px; border-radius: 50%; background: var(--accent); color: var(--on-accent); display: grid; place-items: center; flex: none; transition: transform 0.1s; }
  .send:active { transform: scale(0.92); }
  .above { display: flex; align-items: center; gap: 8px; padding: 2px 4px 8px 12px; margin-inline-start: 8px; border-inline-start: 3px solid var(--accent); }
  .above small { font-size: 13px; }
  .attached { display: flex; gap: 8px; overflow-x: auto; padding-bottom: 8px; }
  .attached li { position: relative; display: flex; gap: 8px; align-items: center; padding: 6px 6px 6px 10px; border-radius: 12px; background: var(--back); max-width: 230px; flex: none; }
  .attached progress { position: absolute; inset: auto 10px 3px; width: auto; height: 3px; }
  .attached .tool { width: 28px; height: 28px; }
  .suggested { border: 1px solid var(--line); border-radius: 14px; margin-bottom: 8px; overflow: hidden; box-shadow: var(--shadow); }
  .suggested li { display: flex; gap: 10px; align-items: center; padding: 6px 12px; cursor: pointer; }
  .suggested li[aria-selected='true'], .suggested li:hover { background: var(--hover); }
  .suggested .avatar { width: 28px; height: 28px; font-size: 11px; }
  .recording { align-items: center; gap: 12px; }
  .recording [role='timer'] { flex: 1; font-variant-numeric: tabular-nums; }
  .pulse { width: 12px; height: 12px; border-radius: 50%; background: var(--danger); animation: pulse 1.1s infinite; }
  @keyframes pulse { 50% { opacity: 0.25; } }
`

const ABOVE = css`
  mc-menu { margin: 0; inset: auto; border: 0; padding: 0; background: none; color: var(--text); overflow: visible; }
  .menu { display: grid; min-width: 190px; max-height: 70vh; overflow-y: auto; padding: 6px; border-radius: 14px; background: var(--surface); border: 1px solid var(--line); box-shadow: var(--shadow); animation: rise 0.12s ease-out; }
  .menu button { padding: 8px 12px; border-radius: 9px; }
  .menu button:hover, .menu button:focus-visible { background: var(--hover); outline: 0; }
  .quick { display: flex; gap: 2px; padding-bottom: 6px; margin-bottom: 6px; border-bottom: 1px solid var(--line); }
  .quick button { font: 20px/30px 'Apple Color Emoji', 'Segoe UI Emoji', 'Noto Color Emoji', sans-serif; width: 34px; padding: 2px 0 !important; text-align: center; }
  .emoji { width: 306px; max-height: 320px; overflow-y: auto; padding: 8px; border-radius: 16px; background: var(--surface); border: 1px solid var(--line); box-shadow: var(--shadow); }
  .emoji div { display: grid; grid-template-columns: repeat(8, 1fr); padding-bottom: 6px; }
  .emoji div + div { border-top: 1px solid var(--line); padding-top: 6px; }
  .emoji button, .reaction, .large .text { font-family: 'Apple Color Emoji', 'Segoe UI Emoji', 'Noto Color Emoji', sans-serif; }
  .emoji button { font-size: 22px; line-height: 34px; height: 34px; text-align: center; border-radius: 8px; }
  .emoji button:hover, .emoji button:focus-visible { background: var(--hover); outline: 0; }
  dialog { border: 0; padding: 0; width: min(440px, 94vw); max-height: min(640px, 90dvh); border-radius: 20px; background: var(--surface); color: var(--text); box-shadow: var(--shadow); overflow: hidden; }
  dialog[open] { display: flex; flex-direction: column; animation: rise 0.16s ease-out; }
  dialog::backdrop { background: light-dark(#10162a66, #000a); }
  .viewer { width: auto; max-width: 96vw; max-height: 96dvh; background: none; box-shadow: none; }
  .viewer img { max-width: 96vw; max-height: 90dvh; border-radius: 10px; }
  .viewer .tool { color: #fff; background: #0008; align-self: flex-end; margin-bottom: 6px; }
  .question { padding: 24px; display: grid; gap: 22px; font-size: 16px; }
  .form { display: flex; flex-direction: column; gap: 12px; padding: 14px 18px 18px; min-height: 0; overflow-y: auto; }
  .form .search { margin: 0; }
  .form .chats { padding: 0; height: 300px; flex: 1 1 auto; min-height: 120px; }
  .field { display: grid; gap: 4px; font-size: 13px; color: var(--muted); }
  .field input, .field select { height: 42px; border-radius: 12px; border: 1px solid var(--line); background: var(--back); padding: 0 12px; color: var(--text); font-size: 15px; width: 100%; }
  .switch { display: flex; align-items: center; justify-content: space-between; gap: 14px; min-height: 40px; cursor: pointer; }
  .switch input { appearance: none; width: 42px; height: 25px; border-radius: 99px; background: var(--muted); position: relative; transition: background 0.15s; margin: 0; flex: none; cursor: pointer; }
  .switch input::after { content: ''; position: absolute; width: 19px; height: 19px; top: 3px; inset-inline-start: 3px; border-radius: 50%; background: var(--surface); transition: inset-inline-start 0.15s; }
  .switch input:checked { background: var(--accent); }
  .switch input:checked::after { inset-inline-start: 20px; }
  .chips { display: flex; flex-wrap: wrap; gap: 6px; }
  .chips button { display: flex; align-items: center; gap: 4px; background: var(--chosen); border-radius: 999px; padding: 4px 10px; font-size: 14px; }
  .chips .icon { width: 14px; height: 14px; }
  .hint { padding: 12px 18px; color: var(--muted); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; flex: none; }
  .person { display: flex; align-items: center; gap: 10px; padding: 6px 0; }
  .person b { flex: 1; font-weight: 580; }
  .details { overflow-y: auto; padding: 8px 16px 24px; display: flex; flex-direction: column; gap: 8px; flex: 1; scrollbar-width: thin; }
  .details > h3 { margin-top: 14px; font-size: 13px; color: var(--muted); }
  .top { display: grid; justify-items: center; gap: 8px; padding: 16px 0; text-align: center; }
  .top .avatar { width: 92px; height: 92px; font-size: 32px; }
  .top .avatar .icon { width: 44px; height: 44px; }
  .top h3 { font-size: 20px; }
  .plain { border: 1px solid transparent; background: none; text-align: center; border-radius: 10px; width: 100%; padding: 5px; }
  .plain:hover, .plain:focus { border-color: var(--line); background: var(--back); }
  .plain.title { font-size: 20px; font-weight: 680; }
  .group { border-top: 1px solid var(--line); padding-top: 8px; display: grid; gap: 2px; }
  .group > button { padding: 10px 0; font-weight: 600; }
  .media { display: grid; grid-template-columns: repeat(3, 1fr); gap: 4px; }
  .media mc-file { width: 100% !important; aspect-ratio: 1 !important; min-width: 0; }
  .media mc-file.file, .media mc-file.audio { grid-column: 1 / -1; aspect-ratio: auto !important; }
  .add { color: light-dark(#2746c7, #b3c3ff); font-weight: 600; }
`

const PUBLIC = css`
  :host(micro-chatter-badge) { display: inline-block; height: auto; min-height: 0; container-type: normal; font: inherit; vertical-align: middle; }
  :host(micro-chatter-launcher) { position: fixed; inset-block-end: 20px; inset-inline-end: 20px; z-index: 2147483000; height: auto; min-height: 0; container-type: normal; }
  .launch { position: relative; width: 60px; height: 60px; border-radius: 50%; background: var(--accent); color: var(--on-accent); display: grid; place-items: center; box-shadow: var(--shadow); transition: transform 0.15s; margin-inline-start: auto; }
  .launch:hover { transform: scale(1.05); }
  .launch .icon { width: 28px; height: 28px; }
  .launch .badge { position: absolute; top: -3px; inset-inline-end: -3px; background: var(--danger); color: light-dark(#fff, #220a0c); }
  .panel { position: absolute; inset-block-end: 74px; inset-inline-end: 0; width: min(400px, calc(100vw - 40px)); height: min(640px, calc(100dvh - 120px)); border-radius: 20px; overflow: hidden; box-shadow: var(--shadow); border: 1px solid var(--line); animation: rise 0.18s ease-out; background: var(--surface); }
  @media (prefers-reduced-motion: reduce) { *, *::before, *::after { animation-duration: 0.01ms !important; transition: none !important; } }
`

export const STYLES = [TOKENS, LAYOUT, LIST, CONVERSATION, CONTENT, COMPOSER, ABOVE, PUBLIC]
