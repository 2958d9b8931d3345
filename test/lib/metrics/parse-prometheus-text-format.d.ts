/** The parser has no types of its own. Of a histogram with labels it gives the buckets alone. */
declare module 'parse-prometheus-text-format' {
  export type ParsedFamily = {
    readonly name: string;
    readonly type: string;
    readonly help: string;
    readonly metrics: readonly {
      readonly value?: string;
      readonly labels?: Readonly<Record<string, string>>;
      readonly buckets?: Readonly<Record<string, string>>;
    }[];
  };
  export default function parsePrometheusTextFormat(text: string): readonly ParsedFamily[];
}
