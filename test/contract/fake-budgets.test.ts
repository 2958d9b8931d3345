import { budgetsIn, makeFakeBudgets } from '../support/fake-budgets.ts';
import { recipientBudgetsContract } from './recipient-budgets.contract.ts';

recipientBudgetsContract('the fake', () => budgetsIn(makeFakeBudgets()));
