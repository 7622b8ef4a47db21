/** `/signed-in`: the end of signing in again in a second tab. */
import type { JSX } from 'solid-js';
import { LinkButton } from '../kit/Button.tsx';
import { Panel } from '../kit/Panel.tsx';
import { Empty } from '../kit/View.tsx';
import { Page } from '../shell/Page.tsx';

export function SignedIn(): JSX.Element {
  return (
    <Page title="Signed in" cli={[]}>
      <Panel>
        <Empty
          icon="ok"
          title="You are signed in again"
          text="Close this tab and go on where you were: nothing of it was lost."
          action={<LinkButton href="/home">Or begin at home</LinkButton>}
        />
      </Panel>
    </Page>
  );
}
