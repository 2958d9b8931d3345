type Optional<Fields> = {
  [Name in keyof Fields]: undefined extends Fields[Name] ? Name : never;
}[keyof Fields];
type Defined<Fields> = Omit<Fields, NonNullable<Optional<Fields>>> & {
  [Name in NonNullable<Optional<Fields>>]?: Exclude<Fields[Name], undefined>;
};

/** The fields that have a value. A field that is `undefined` would be written as one that is there. */
export const defined = <Fields extends object>(fields: Fields): Defined<Fields> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<Fields>;
