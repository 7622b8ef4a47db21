import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EpochLedger } from './lease.ts';

let position = 0n;
const fact = (epoch: number) => ({
  type: 'role.created',
  data: {},
  metadata: { epoch },
  position: (position += 1n),
});
const tookOver = (epoch: number) => ({
  type: 'control_plane.took_over',
  data: { epoch, holder: 'h' },
  metadata: { epoch },
  position: (position += 1n),
});

describe('the ledger of epochs', () => {
  it('takes facts of the epoch that took over last', () => {
    const ledger = new EpochLedger();
    expect([tookOver(1), fact(1), fact(1)].map((one) => ledger.isVoid(one))).toEqual([false, false, false]);
    expect(ledger.epoch).toBe(1);
  });

  it('calls a fact void whose writer had already lost the lease', () => {
    const ledger = new EpochLedger();
    expect([tookOver(1), fact(1), tookOver(2), fact(1), fact(2)].map((one) => ledger.isVoid(one))).toEqual([
      false,
      false,
      false,
      true,
      false,
    ]);
  });

  it('calls a take-over void that does not raise the epoch, and keeps the epoch', () => {
    const ledger = new EpochLedger();
    expect([tookOver(2), tookOver(2), tookOver(1), fact(1), fact(2)].map((one) => ledger.isVoid(one))).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  it('takes facts from before the first take-over', () => {
    expect(new EpochLedger().isVoid(fact(0))).toBe(false);
  });

  it('never lowers the epoch, and voids exactly the facts below the newest take-over before them', () => {
    const step = fc.record({ takesOver: fc.boolean(), epoch: fc.nat(6) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const ledger = new EpochLedger();
        let newest = 0;
        for (const { takesOver, epoch } of steps) {
          const isVoid = ledger.isVoid(takesOver ? tookOver(epoch) : fact(epoch));
          expect(isVoid).toBe(takesOver ? epoch <= newest : epoch < newest);
          if (takesOver) newest = Math.max(newest, epoch);
          expect(ledger.epoch).toBe(newest);
        }
      }),
    );
  });
});
