const BREAKER = { deploymentCircuitBreaker: { enable: true, rollback: true } };
const BREAKER_STAYS = { deploymentCircuitBreaker: { enable: true, rollback: false } };

/** Deployment configurations that stories use. */
export const WITH = {
  breaker: BREAKER,
  breakerStays: BREAKER_STAYS,
  alarms: { alarms: { alarmNames: ["errors"], enable: true, rollback: true } },
  blueGreen: { strategy: "BLUE_GREEN", bakeTimeInMinutes: 5 },
  canary: {
    strategy: "CANARY",
    bakeTimeInMinutes: 1,
    canaryConfiguration: { canaryPercent: 10, canaryBakeTimeInMinutes: 2 },
  },
  linear: {
    strategy: "LINEAR",
    bakeTimeInMinutes: 1,
    linearConfiguration: { stepPercent: 25, stepBakeTimeInMinutes: 1 },
  },
} as const;
