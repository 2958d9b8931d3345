import { type Facade, unknownCall, withoutKeyPrefix } from './facade.http.ts';

/** SendGrid's API v3, at `/api/sendgrid` and at the root: `POST /v3/mail/send`. */
export const sendgridFacade: Facade = {
  // Its clients warn of a key that does not begin with `SG.`.
  presented: (_request, usual) => withoutKeyPrefix(usual, 'SG.'),
  answer: async (call) => {
    throw unknownCall(call);
  },
  refuse: ({ problem }) => ({
    status: problem.status,
    json: { errors: [{ message: `${problem.title}. ${problem.remedy}`, field: null }] },
  }),
};
