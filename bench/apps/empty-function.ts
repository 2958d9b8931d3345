import { app } from '@azure/functions';

/**
 * A function that reads its request and does nothing: what the functions host and its library cost. It streams, as every
 * function must that is to receive a body without Content-Length.
 */
app.setup({ enableHttpStream: true });
app.http('empty', {
  methods: ['POST'],
  authLevel: 'function',
  handler: async (request) => {
    await request.arrayBuffer();
    return { status: 200 };
  },
});
