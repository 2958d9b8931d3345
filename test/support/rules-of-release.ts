/*
 * What tests run of the last release beside the code of now: verbs, readers and writers. `npm run keep:release` bundles this file in the
 * release's own commit, so everything it names must be there.
 */
export { CALLER_FIELDS } from '../../src/lib/callers/caller-definition.ts';
export { combineCallers, readStoredJson, toStoredJson } from '../../src/lib/callers/stored-caller.ts';
export { makeAdmission } from '../../src/lib/delivery/admission.ts';
export { deliverMail } from '../../src/lib/delivery/deliver-mail.ts';
export { holdPoisonMessage } from '../../src/lib/delivery/hold-poison-message.ts';
export { makePacer } from '../../src/lib/delivery/pacer.ts';
export { makeQuotas } from '../../src/lib/delivery/quotas.ts';
export { sendMail } from '../../src/lib/delivery/send-mail.ts';
export { sweepMail } from '../../src/lib/delivery/sweep-mail.ts';
export { cancelMail } from '../../src/lib/desk/cancel-mail.ts';
export { replayMail } from '../../src/lib/desk/replay-mail.ts';
export { rescheduleMail } from '../../src/lib/desk/reschedule-mail.ts';
export { AppError } from '../../src/lib/errors.ts';
export { readWebhookText, toWebhookText } from '../../src/lib/events/webhook-message.ts';
export { indexKeyOf } from '../../src/lib/ledger/ledger-index.ts';
export { newEnvelope, readQueueMessage, toQueueText } from '../../src/lib/ledger/queue-message.ts';
export { prefixesOf } from '../../src/lib/ledger/search-index.ts';
export { readMail } from '../../src/lib/mail/read-mail.ts';
export { toEntity, toEntry } from '../../src/lib/storage/ledger-entity.ts';
export { openLedgerTable } from '../../src/lib/storage/ledger-table.ts';
