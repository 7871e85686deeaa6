import { AGAction } from './types/action'

export = AGAction
