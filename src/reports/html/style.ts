/** The page's style sheet: light and dark, on paper, and without colour as the only sign of anything. */
export const styleSheet = `
:root { color-scheme: light dark; --text: #1b1f24; --faint: #57606a; --line: #d0d7de; --back: #ffffff; --panel: #f6f8fa;
  --pass: #116329; --fail: #a40e26; --error: #6639ba; --skip: #0550ae; --warn: #7d4e00; --link: #0550ae; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --faint: #9da7b1; --line: #3d444d; --back: #0d1117;
  --panel: #161b22; --pass: #56d364; --fail: #ff8880; --error: #c8a6ff; --skip: #79c0ff; --warn: #e3b341; --link: #79c0ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 75rem; padding: 1rem 1.25rem 4rem; color: var(--text); background: var(--back);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: .5rem 0; } h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
a { color: var(--link); } a:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip-link { position: absolute; left: -100rem; } .skip-link:focus { left: 1rem; background: var(--back); padding: .5rem; }
.banner { border: 2px solid var(--warn); color: var(--warn); padding: .5rem .75rem; font-weight: 600; border-radius: .4rem; }
.faint { color: var(--faint); } .nowrap { white-space: nowrap; }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; padding: 0; list-style: none; }
.counts li { border: 1px solid var(--line); border-radius: .4rem; padding: .25rem .75rem; background: var(--panel); }
.verdict { font-weight: 600; white-space: nowrap; }
.pass { color: var(--pass); } .fail { color: var(--fail); } .error { color: var(--error); } .skip { color: var(--skip); }
.blocked, .not-run, .flaky { color: var(--warn); }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; color: var(--faint); padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
tbody th { overflow-wrap: break-word; }
td.number, th.number { text-align: right; white-space: nowrap; }
.scroll { overflow-x: auto; }
article, details.environment { border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .9rem; margin: .6rem 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
pre { background: var(--panel); padding: .6rem; overflow-x: auto; margin: .4rem 0; font: .85rem/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
ul.where { margin: .3rem 0; padding-left: 1.2rem; }
@media print { details > * { display: block; } .skip-link { display: none; } }
`
