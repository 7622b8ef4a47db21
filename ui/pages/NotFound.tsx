/** An address that leads nowhere. */
import type { JSX } from 'solid-js';
import { LinkButton } from '../kit/Button.tsx';
import { Panel } from '../kit/Panel.tsx';
import { Empty } from '../kit/View.tsx';
import { Page } from '../shell/Page.tsx';

export function NotFound(): JSX.Element {
  return (
    <Page title="Nothing here" cli={[]}>
      <Panel>
        <Empty
          icon="search"
          title="There is no page at this address"
          text="The link may be old, or cut off where it was copied."
          action={<LinkButton href="/home">Home</LinkButton>}
        />
      </Panel>
    </Page>
  );
}
