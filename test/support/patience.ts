/**
 * How long things may take on a machine that is busy with something else. None of it is an expectation of speed: what
 * takes longer is taken for something that never happens.
 */

const MINUTE_MS = 60_000;

/** A condition that is waited for. */
export const CONDITION_MS = 2 * MINUTE_MS;
/** A test or a hook. Longer than a condition, so that the condition is what is reported. */
export const TEST_MS = 5 * MINUTE_MS;
/** A test that starts external tools many times over: az, dotnet, pwsh. */
export const TOOLS_MS = 20 * MINUTE_MS;
