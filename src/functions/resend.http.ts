import { type Facade, unknownCall, withoutKeyPrefix } from './facade.http.ts';

/** Resend's API, at `/api/resend` and at the root: `/emails`. */
export const resendFacade: Facade = {
  presented: (_request, usual) => withoutKeyPrefix(usual, 're_'),
  answer: async (call) => {
    throw unknownCall(call);
  },
  refuse: ({ problem }) => ({
    status: problem.status,
    json: {
      statusCode: problem.status,
      name: 'application_error',
      message: `${problem.title}. ${problem.remedy}`,
    },
  }),
};
