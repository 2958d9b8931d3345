import * as z from 'zod';

/** A schema as OpenAPI 3.1 has it: JSON Schema 2020-12. */
export type JsonSchema = { readonly [keyword: string]: unknown };

export const refTo = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

const withoutDialect = ({ $schema: _, ...schema }: JsonSchema): JsonSchema => schema;

const isList = (
  schema: z.core.$ZodType,
): schema is z.ZodPipe & { readonly _zod: { readonly def: { readonly out: z.ZodArray } } } =>
  schema instanceof z.ZodPipe && schema.def.out instanceof z.ZodArray;

/** What a schema reads. Code of our own in it, such as the reader of an address, shows as a schema without keywords. */
export const readBy = (schema: z.ZodType): JsonSchema =>
  withoutDialect(
    z.toJSONSchema(schema, {
      io: 'input',
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema }) => {
        // Counted before its items are looked at, so that zod sees something unknown in front of the list.
        if (isList(zodSchema) && jsonSchema.type === undefined)
          Object.assign(jsonSchema, readBy(zodSchema.def.out as z.ZodArray));
      },
    }) as JsonSchema,
  );

/** A field that clients need not send, or can rely on, is said by `required`; a later version can add fields to a response. */
export const toldBy = (
  schemas: Readonly<Record<string, z.ZodType>>,
): Readonly<Record<string, JsonSchema>> => {
  const registry = z.registry<{ readonly id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const { schemas: told } = z.toJSONSchema(registry, {
    io: 'output',
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      // Every number of JavaScript: no limit of ours.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return Object.fromEntries(
    Object.entries(told).map(([name, { $id: _, ...schema }]) => [name, withoutDialect(schema as JsonSchema)]),
  );
};
