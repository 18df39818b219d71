/**
 * PowerShell writes what is not a plain output as XML of its own when it believes that another PowerShell reads it
 * (MS-PSRP, 2.2.5). Errors and warnings in it are of use, progress records are not.
 */
const block = /#< CLIXML\s*((?:<Objs\b[\s\S]*?<\/Objs>\s*)+)/g
/** Text is a string; an error may be an object, whose first text is what it says. */
const shown =
  /<S S="(?:Error|Warning|Output|verbose|debug|information)">([\s\S]*?)<\/S>|<Obj S="Error"[^>]*>(?:<TN\b[\s\S]*?<\/TN>|<TNRef[^>]*>)?<ToString>([\s\S]*?)<\/ToString>/gi

/** The text with each block of CLIXML replaced by what it has to say. */
export function cleanClixml(text: string): string {
  return text.includes('#< CLIXML')
    ? text.replace(block, (_, objects: string) =>
        [...objects.matchAll(shown)]
          .map(([, said, error]) => unescapeClixml(said ?? `${error ?? ''}\n`))
          .join(''),
      )
    : text
}

/** `_x000A_` is one UTF-16 unit; the rest is XML. */
function unescapeClixml(text: string): string {
  const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }
  return text
    .replace(/&(lt|gt|amp|quot|apos);/g, (_, name: string) => entities[name] ?? '')
    .replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
