import { expect, test } from 'vitest';
import { makeWeather } from './weather.ts';

test('frozen storage holds what one instance asks until the end, and what others ask not at all', () => {
  const weather = makeWeather();
  weather.begin({ kind: 'frozen', instance: 'A', untilMs: 5000, carriesOut: 'at the end' });
  expect(weather.delayOf('A', 1000)).toEqual({ requestMs: 4000 });
  expect(weather.delayOf('B', 1000)).toEqual({});
  expect(weather.delayOf('A', 5000)).toEqual({});
});

test('storage that carries out what it was asked and does not answer holds the answer', () => {
  const weather = makeWeather();
  weather.begin({ kind: 'frozen', instance: 'all', untilMs: 5000, carriesOut: 'meanwhile' });
  weather.begin({ kind: 'slow', instance: 'all', untilMs: 9000, answerMs: 300 });
  expect(weather.delayOf('B', 1000)).toEqual({ answerMs: 4000 });
  expect(weather.delayOf('B', 6000)).toEqual({ answerMs: 300 });
  expect(weather.delayOf('B', 9000)).toEqual({});
});

test('from its end on storage is well', () => {
  const weather = makeWeather();
  weather.begin({ kind: 'slow', instance: 'all', untilMs: 9000, answerMs: 300 });
  weather.end();
  expect(weather.delayOf('A', 1000)).toEqual({});
});
