<?php
// Who may log in: {"NAME:PASSWORD": {ATTRIBUTE: [VALUES]}}, written by the test.
$users = json_decode(file_get_contents(getenv('TEST_FOLDER') . '/users.json'), true);
$config = ['users' => ['exampleauth:UserPass'] + $users];
