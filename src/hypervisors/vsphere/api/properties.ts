import { childrenOf, type Element, find, type Reference, referenceOf, textAt } from '../soap/element.js'
import { isFault } from '../soap/fault.js'
import type { CallOptions, Session } from '../soap/session.js'
import { reference, tag, type Written } from '../soap/write.js'

/** Properties of one managed object, by the paths that were asked for; those that are unset are not there. */
export interface Properties {
  readonly self: Reference
  at(path: string): Element | undefined
  text(path: string): string | undefined
}

/** Which properties are wanted, by the type of the object. */
export type Wanted = Readonly<Record<string, readonly string[]>>

/** Where the collector looks besides the objects that are named. */
interface Where {
  readonly objects: readonly Reference[]
  /** Written `selectSet` elements: how it goes on from there. */
  readonly along?: readonly Written[]
}

/** Reads properties of objects that are named; those that are gone are missing in the answer. */
export async function readProperties(
  session: Session,
  wanted: Wanted,
  objects: readonly Reference[],
  options: CallOptions,
): Promise<readonly Properties[]> {
  if (objects.length === 0) {
    return []
  }
  try {
    return await retrieve(session, wanted, { objects }, options)
  } catch (error) {
    // The server refuses the whole question when one of the objects is gone.
    const gone = isFault(error, 'ManagedObjectNotFound') ? referenceOf(find(error.detail, 'obj')) : undefined
    const left = objects.filter(({ value }) => value !== gone?.value)
    if (left.length === objects.length) {
      throw error
    }
    return readProperties(session, wanted, left, options)
  }
}

/** Reads properties of one object; `null` when it is gone. */
export async function readObject(
  session: Session,
  object: Reference,
  paths: readonly string[],
  options: CallOptions,
): Promise<Properties | null> {
  const [found] = await readProperties(session, { [object.type]: paths }, [object], options)
  return found ?? null
}

/** Reads properties of all objects of some types in the inventory below its root folder, whatever folders they are in. */
export async function readInventory(
  session: Session,
  wanted: Wanted,
  options: CallOptions,
): Promise<readonly Properties[]> {
  const root = (await session.content(options)).manager('rootFolder')
  return root === undefined ? [] : retrieve(session, wanted, { objects: [root], along: everywhere }, options)
}

/** Folders hold folders and datacenters, a datacenter holds a folder of VMs and one of hosts. */
const everywhere: readonly Written[] = [
  traversal('folders', 'Folder', 'childEntity', ['folders', 'machines', 'hosts', 'members']),
  traversal('machines', 'Datacenter', 'vmFolder', ['folders']),
  traversal('hosts', 'Datacenter', 'hostFolder', ['folders']),
  traversal('members', 'ComputeResource', 'host', []),
]

function traversal(name: string, type: string, path: string, next: readonly string[]): Written {
  const select = next.map(each => tag('selectSet', [tag('name', each)]))
  const parts = [tag('name', name), tag('type', type), tag('path', path), tag('skip', false), ...select]
  return tag('selectSet', parts, 'TraversalSpec')
}

async function retrieve(
  session: Session,
  wanted: Wanted,
  { objects, along = [] }: Where,
  options: CallOptions,
): Promise<readonly Properties[]> {
  const self = (await session.content(options)).manager('propertyCollector') ?? missing
  const propSets = Object.entries(wanted).map(([type, paths]) =>
    tag('propSet', [tag('type', type), ...paths.map(path => tag('pathSet', path))]),
  )
  const objectSets = objects.map(object => tag('objectSet', [reference('obj', object), ...along]))
  const args = [tag('specSet', [...propSets, ...objectSets]), tag('options')]
  let page = await session.call({ self, method: 'RetrievePropertiesEx', args }, options)
  const found = propertiesOf(page)
  for (let token = textAt(page, 'token'); token !== undefined; token = textAt(page, 'token')) {
    const rest = { self, method: 'ContinueRetrievePropertiesEx', args: [tag('token', token)] }
    page = await session.call(rest, options)
    found.push(...propertiesOf(page))
  }
  return found
}

const missing: Reference = { type: 'PropertyCollector', value: 'propertyCollector' }

function propertiesOf(page: Element | undefined): Properties[] {
  return childrenOf(page, 'objects').flatMap(object => {
    const self = referenceOf(find(object, 'obj'))
    const values = new Map(
      childrenOf(object, 'propSet').map(each => [textAt(each, 'name') ?? '', find(each, 'val')]),
    )
    const at = (path: string): Element | undefined => values.get(path)
    return self === undefined ? [] : [{ self, at, text: path => at(path)?.text.trim() }]
  })
}
