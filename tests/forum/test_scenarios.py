from tests.forum.world import ForumWorld, assert_equals_truth


def test_clean_full_crawl(world: ForumWorld):
    report = world.crawl()
    print(report, report.metadata)
    assert_equals_truth(world)
    assert world.due() == 0
    assert max(world.site.asked.values()) == 1


def test_re_run_without_change(world: ForumWorld):
    world.crawl()
    before = world.versions()
    report = world.crawl()
    print(report, world.site.asked)
    assert world.versions() == before
    world.crawl(full_refresh=True)
    assert world.versions() == before
