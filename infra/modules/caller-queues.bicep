metadata name = 'Queues of callers'
metadata description = 'Which callers get a queue of their own, and who may put emails into it. The rule for names is that of src/lib/callers/caller-name.ts.'

import { CallerQueue } from 'options.bicep'

var takenNames = ['queue', 'function-keys', 'relay', 'poison', 'events', 'payloads', 'held', 'attachments', 'captured']
var letters = 'abcdefghijklmnopqrstuvwxyz'
var nameCharacters = '${letters}0123456789-'

func charactersOf(text string) string[] => map(range(0, length(text)), i => substring(text, i, 1))

func canHaveQueue(caller string) bool =>
  length(caller) >= 2 && length(caller) <= 40 && contains(letters, substring('${caller} ', 0, 1)) && empty(filter(
    charactersOf(caller),
    c => !contains(nameCharacters, c)
  )) && !contains('-${caller}-', '--') && !contains(takenNames, caller) && !endsWith(caller, '-poison')

func requireName(caller string) string =>
  canHaveQueue(caller)
    ? caller
    : fail('options.callerQueues and MAIL_CALLER_QUEUES: expected names of callers (2 to 40 lower-case letters, digits and single dashes, beginning with a letter, none of ${join(takenNames, ', ')}, and none that ends in -poison), not \'${caller}\'.')

@export()
@description('The names in MAIL_CALLER_QUEUES.')
func toCallers(setting string) string[] =>
  filter(map(split(setting, ','), caller => trim(caller)), caller => !empty(caller))

@export()
@description('A queue for each caller of the options and of MAIL_CALLER_QUEUES, with all its senders.')
func toCallerQueues(setting string, queues CallerQueue[]) CallerQueue[] =>
  map(
    union(map(queues, one => requireName(one.caller)), map(toCallers(setting), caller => requireName(caller))),
    caller => {
      caller: caller
      senders: union(flatten(map(filter(queues, one => one.caller == caller), one => one.?senders ?? [])), [])
    }
  )
