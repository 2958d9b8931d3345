import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** What CloudEvents 1.0 requires of an event in JSON (https://github.com/cloudevents/spec, spec.md and json-format.md). */
const SCHEMA = {
  type: 'object',
  required: ['specversion', 'id', 'source', 'type'],
  properties: {
    specversion: { const: '1.0' },
    id: { type: 'string', minLength: 1 },
    source: { type: 'string', format: 'uri-reference', minLength: 1 },
    type: { type: 'string', minLength: 1 },
    datacontenttype: { type: 'string', pattern: '^[\\w.+-]+/[\\w.+-]+' },
    dataschema: { type: 'string', format: 'uri', minLength: 1 },
    subject: { type: 'string', minLength: 1 },
    time: { type: 'string', format: 'date-time' },
    data: true,
  },
  // Attributes of one's own have names of lower-case letters and digits, at most 20, and simple values.
  patternProperties: { '^[a-z0-9]{1,20}$': true },
  additionalProperties: false,
} as const;

const ajv = new Ajv2020({ allErrors: true });
(addFormats as unknown as (on: Ajv2020) => void)(ajv);
const validate = ajv.compile(SCHEMA);

/** What is wrong with an event as a CloudEvent; empty where nothing is. */
export const cloudEventFaults = (event: unknown): readonly string[] =>
  validate(event)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
