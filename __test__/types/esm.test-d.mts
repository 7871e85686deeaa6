import api, { AGServer, AGServerSocket, AGRequest, attach, listen } from 'es-networkcluster'
import {
  IteratorClass,
  Manager,
  SharedEventEmitterClass,
  SharedMemoryClass,
} from 'es-networkcluster'
import client, { AGClientSocket, create } from 'es-networkcluster/client'
import AGAction from 'es-networkcluster/action'
import ServerClass from 'es-networkcluster/server'

const server: AGServer = api.listen(8000)
const socket: AGClientSocket = client.create({ autoConnect: false })
const memory: SharedMemoryClass = new api.SharedMemoryClass()
const numbers: Promise<number[]> = new new IteratorClass(new Manager())([1]).map((n) => n)
const type: 'invoke' = AGAction.INVOKE

// @ts-expect-error
api.listenn(8000)
// @ts-expect-error
client.connect()

void [
  server,
  socket,
  type,
  memory,
  numbers,
  SharedEventEmitterClass,
  ServerClass,
  AGServerSocket,
  AGRequest,
  attach,
  listen,
  create,
]
