import { type Facade, unknownCall } from './facade.http.ts';

/** Postmark's API, at `/api/postmark`: `POST /email`. */
export const postmarkFacade: Facade = {
  presented: ({ headers }, usual) => ({
    ...usual,
    apiKey: headers.get('x-postmark-server-token') ?? usual.apiKey,
  }),
  answer: async (call) => {
    throw unknownCall(call);
  },
  refuse: ({ problem }) => ({
    status: problem.status,
    json: { ErrorCode: 300, Message: `${problem.title}. ${problem.remedy}` },
  }),
};
