import { AGServer, StreamError, attach } from 'es-networkcluster'
import type {
  AGServerOptions,
  DeadLetter,
  DurableConsumer,
  History,
  InboundAction,
  PublishResult,
  StreamPosition,
} from 'es-networkcluster'
import http = require('node:http')

interface Order {
  id: number
}

function options() {
  const all: AGServerOptions = {
    streams: [
      { match: 'a/*', class: 'history', size: 1, age: 1, bytes: 1, presence: true },
      { match: 'b', class: 'durable' },
      { match: 'c', class: 'plain', presence: true },
    ],
    storage: { directory: 'data' },
    streamMemory: 1,
  }
  attach(http.createServer(), all)
  // @ts-expect-error
  attach(http.createServer(), { streams: [{ match: 'a', class: 'eternal' }] })
  // @ts-expect-error
  attach(http.createServer(), { streams: [{ class: 'history' }] })
  // @ts-expect-error
  attach(http.createServer(), { storage: 'data' })
}

async function exchange({ exchange }: AGServer) {
  const result: PublishResult = await exchange.invokePublish('a', 1, { key: 'k', delay: 1 })
  if (result && 'epoch' in result) void [result.offset + 1, result.duplicate]
  else if (result) void [result.id.length, result.due + 1]
  const nothing: void = await exchange.transmitPublish('a', 1, { at: 1 })
  const history: History<Order> = await exchange.history<Order>('a', { limit: 1, reverse: true })
  const ids = history.messages.map(({ data }) => data?.id)
  const { members, count } = await exchange.presence<string>('a')
  const info: string | undefined = members[0].info
  const since: StreamPosition = history
  const channel = exchange.subscribe<Order>('a', { since })
  const position: StreamPosition | undefined = channel.position
  const { recovered, offset } = await channel.listener('recover').once()
  const message = await channel.listener('message').once()
  const { id } = await channel.listener('join').once()
  await channel.invokePublish({ id: 1 }, { key: 'k' })
  await channel.history({ since })
  await channel.presence()
  void [nothing, ids, count, info, position, recovered, offset, message.epoch, id.length]
  // @ts-expect-error
  await exchange.invokePublish('a', 1, { keys: 'k' })
  // @ts-expect-error
  exchange.subscribe('a', { since: { offset: 1 } })
  // @ts-expect-error
  channel.position = since
}

async function consumer({ exchange }: AGServer) {
  const consumer: DurableConsumer<Order> = exchange.consume<Order>(
    'billing',
    { channel: 'orders', from: 'earliest', concurrency: 2, deadLetter: 'dead' },
    async ({ data, epoch, offset, delivery, timestamp, channel }, signal) => {
      void [data.id, epoch.length, offset + delivery + timestamp, channel, signal.aborted]
    },
  )
  exchange.consume('b', { channel: 'c', from: { epoch: 'e', offset: 1 } }, () => {})
  for await (const { from, to } of consumer.listener('gap')) void (to.offset - from.offset)
  const letter: DeadLetter<Order> = await consumer.listener('deadLetter').once()
  const { delay, error } = await consumer.listener('redelivery').once()
  const behind: number | undefined = consumer.stats().behind
  await consumer.close()
  void [letter.data?.id, delay + 1, error, behind, consumer.position?.epoch]
  // @ts-expect-error
  exchange.consume('b', {}, () => {})
  // @ts-expect-error
  exchange.consume('b', { channel: 'c', from: 'newest' }, () => {})
}

async function scheduler({ scheduler }: AGServer) {
  const { id, due } = await scheduler.at(new Date(), { channel: 'a', data: 1, key: 'k' })
  await scheduler.after(1, { channel: 'a' }, { id })
  await scheduler.every(1, { channel: 'a' }, { start: due })
  await scheduler.cron('* * * * *', { channel: 'a' }, { timezone: 'Europe/Paris' })
  const cancelled: boolean = await scheduler.cancel(id)
  const { timers, more } = await scheduler.list({ limit: 1, after: id })
  void [cancelled, more, timers[0].every, timers[0].count + 1]
  // @ts-expect-error
  await scheduler.at('tomorrow', { channel: 'a' })
  // @ts-expect-error
  await scheduler.after(1, {})
}

function decide(action: InboundAction) {
  if (action.type === action.HISTORY) void [action.limit, action.since?.epoch, action.reverse]
  else if (action.type === 'presence') void action.channel
  else if (action.type === 'subscribe') void action.since?.offset
  else if (action.type === 'publishIn') void [action.key, action.delay, action.at]
}

function failure(error: unknown, server: AGServer) {
  if (error instanceof StreamError && error.code === 'ERR_NOT_KEPT') void error.message
  const failed: boolean | undefined = server.metrics().streams?.storage?.failed
  void failed
}

void [options, exchange, consumer, scheduler, decide, failure]
