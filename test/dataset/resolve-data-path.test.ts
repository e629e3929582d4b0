import { mkdir, realpath, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { resolveDataPath } from '../../src/dataset/index.js';
import { makeFolder } from '../make-folder.js';

test('a path below a root resolves, relative or absolute, also through a link inside', async (t) => {
  const root = await realpath(await makeFolder(t));
  await mkdir(join(root, 'cells'));
  await symlink(join(root, 'cells'), join(root, 'newest'));
  const roots = [join(root, 'gone'), root];
  t.is(await resolveDataPath('cells', roots), join(root, 'cells'));
  t.is(await resolveDataPath(join(root, 'cells'), roots), join(root, 'cells'));
  t.is(await resolveDataPath('newest', roots), join(root, 'cells'));
  t.is(await resolveDataPath('.', roots), root);
});

test('nothing outside the roots resolves, whether it exists or not', async (t) => {
  const root = await realpath(await makeFolder(t));
  const outside = await realpath(await makeFolder(t));
  await symlink(outside, join(root, 'link'));
  await mkdir(`${root}-beside`);
  t.teardown(() => import('node:fs/promises').then(({ rmdir }) => rmdir(`${root}-beside`)));
  const given = ['link', '..', `../`, outside, `${root}-beside`, 'nowhere', '', 'a\0b'];
  for (const path of given) {
    const { message } = await t.throwsAsync(resolveDataPath(path, [root]), {
      name: 'DomainError',
      code: 'option_invalid',
    });
    t.is(
      message,
      `expected a dataset path below one of the data roots of the server, got "${path}"`,
    );
  }
});
