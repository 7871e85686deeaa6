import * as client from 'es-networkcluster/client'
import {
  AGChannel,
  AGClientChannel,
  AGClientSocket,
  create,
  version,
} from 'es-networkcluster/client'
import { PublishResult, StreamPosition } from 'es-networkcluster/client'

async function use() {
  const socket: AGClientSocket = create({
    hostname: 'localhost',
    port: 8000,
    autoReconnectOptions: { initialDelay: 100, multiplier: 2 },
    query: { room: 'a' },
  })
  await socket.listener('connect').once(1000)
  for await (const { error } of socket.listener('error')) void error.message
  for await (const { text } of socket.subscribe<{ text: string }>('chat', { priority: 1 })) {
    void text.length
  }
  const result: number = await socket.invoke<number>('double', 21, { ackTimeout: 100 })
  await socket.transmit('event')
  for await (const request of socket.procedure('ask')) request.end(socket.id)
  await socket.channel('chat').invokePublish('hello')
  const { channel, newChannelState } = await socket.listener('subscribeStateChange').once()
  if (newChannelState === 'subscribed') void channel.length
  socket.disconnect(1000, 'bye')
  void [result, version.length, client.factory]
  // @ts-expect-error
  create({ port: true })
  // @ts-expect-error
  create({ hostnam: 'localhost' })
  // @ts-expect-error
  socket.subscribe('chat', { waitForAuth: 'yes' })
  // @ts-expect-error
  const { _nothing } = await socket.listener('connect').once()
}

interface Order {
  text: string
}

async function recover(stored: StreamPosition | null) {
  const socket = create()
  const board = socket.subscribe<Order>('orders', { since: stored, data: { name: 'ann' } })
  for await (const { text } of board) void text.length
  for await (const { data, epoch, offset } of board.listener('message')) {
    const position: StreamPosition = { epoch, offset }
    void [data.text.length, position]
  }
  for await (const recovery of board.listener('recover')) {
    const recovered: boolean = recovery.recovered
    const offset: number | undefined = recovery.offset
    void [recovered, offset, recovery.channel.length]
  }
  for await (const { channel, recovered } of socket.listener('recover')) void [channel, recovered]
  for await (const { id, info } of board.listener('join')) void [id.length, info]
  const known: boolean | undefined = board.recovered
  const position: StreamPosition | undefined = board.position
  const { messages, more } = await board.history({ limit: 10, since: position, reverse: true })
  const { members, count } = await board.presence<{ name: string }>()
  void [known, messages[0].data?.text, messages[0].timestamp, more, members[0].info?.name, count]
  const { duplicate, offset } = await board.invokePublish({ text: 'a' }, { key: 'k' })
  const { id, due } = await socket.invokePublish('orders', {}, { delay: 10, key: 'k' })
  const result: PublishResult = await socket.invokePublish('orders')
  await board.transmitPublish({}, { at: Date.now() })
  const plain: AGChannel<Order> = board
  const channel: AGClientChannel<Order> = socket.channel<Order>('orders')
  void [duplicate, offset, id, due.toFixed(), result, plain, channel]
  // @ts-expect-error
  socket.subscribe('orders', { since: { epoch: 1, offset: 2 } })
  // @ts-expect-error
  board.invokePublish({}, { keys: 'k' })
  // @ts-expect-error
  board.position = stored
  // @ts-expect-error
  await board.history({ limit: '10' })
}

void [use, recover]
