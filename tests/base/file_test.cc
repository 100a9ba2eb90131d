#include "sim/base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace pipescope {
namespace {

namespace fs = std::filesystem;

// A fresh folder a test, removed afterwards.
class File : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(::testing::TempDir()) / (std::string("file_test_") + info->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override {
    fs::permissions(folder_, fs::perms::owner_all);
    fs::remove_all(folder_);
  }
  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  size_t Entries() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }
  fs::path folder_;
};

TEST_F(File, WritesAndReadsBack) {
  const std::string bytes("line\n\0\xff", 7);
  ASSERT_TRUE(WriteFileAtomically(Path("a"), bytes));
  EXPECT_EQ(ReadFile(Path("a")).value(), bytes);
  ASSERT_TRUE(WriteFileAtomically(Path("a"), ""));
  EXPECT_EQ(ReadFile(Path("a")).value(), "");
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(File, ReadIsBounded) {
  ASSERT_TRUE(WriteFileAtomically(Path("a"), std::string(100, 'x')));
  EXPECT_TRUE(ReadFile(Path("a"), 100));
  auto large = ReadFile(Path("a"), 99);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().message, "is larger than the 99 bytes allowed for this kind of file");
  EXPECT_FALSE(ReadFile("/dev/zero", 1000));
}

TEST_F(File, DirectoriesAreRefused) {
  EXPECT_EQ(ReadFile(folder_.string()).error().message, "is a directory; expected a file");
  EXPECT_EQ(WriteFileAtomically(folder_.string(), "x").error().message,
            "is a directory; expected a file");
  EXPECT_FALSE(WriteFileAtomically(Path("no/such/folder"), "x"));
  EXPECT_FALSE(WriteFileAtomically("", "x"));
  EXPECT_EQ(Entries(), 0u);
}

TEST_F(File, ReadOnlyFolderKeepsTheOldBytes) {
  if (geteuid() == 0) GTEST_SKIP() << "the superuser may write anywhere";
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "old"));
  fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
  auto status = WriteFileAtomically(Path("a"), "new");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().ToString(), Path("a") + ": cannot be written: Permission denied");
  EXPECT_EQ(ReadFile(Path("a")).value(), "old");
}

TEST_F(File, ReadOnlyFileIsLeftAlone) {
  if (geteuid() == 0) GTEST_SKIP() << "the superuser may write anywhere";
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "old"));
  fs::permissions(Path("a"), fs::perms::owner_read);
  EXPECT_FALSE(WriteFileAtomically(Path("a"), "new"));
  EXPECT_EQ(ReadFile(Path("a")).value(), "old");
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(File, FailureOnTheWayKeepsTheOldBytes) {
  // The neighbour that would be written first is in the way.
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "old"));
  fs::create_directory(Path("a.tmp" + std::to_string(getpid())));
  EXPECT_FALSE(WriteFileAtomically(Path("a"), "new"));
  EXPECT_EQ(ReadFile(Path("a")).value(), "old");
}

TEST_F(File, ABatchIsAllOrNothing) {
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "old"));
  {
    FileBatch batch;
    ASSERT_TRUE(batch.Add(Path("a"), "new"));
    ASSERT_TRUE(batch.Add(Path("b"), "new"));
    EXPECT_FALSE(batch.Add(Path("nowhere/c"), "new"));
    EXPECT_FALSE(fs::exists(Path("b")));
  }
  EXPECT_EQ(ReadFile(Path("a")).value(), "old");
  EXPECT_EQ(Entries(), 1u);
  FileBatch batch;
  ASSERT_TRUE(batch.Add(Path("a"), "new"));
  ASSERT_TRUE(batch.Add(Path("b"), "new"));
  ASSERT_TRUE(batch.Commit());
  EXPECT_EQ(ReadFile(Path("a")).value() + ReadFile(Path("b")).value(), "newnew");
  EXPECT_EQ(Entries(), 2u);
}

TEST_F(File, ABatchRefusesOneFileTwice) {
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "old"));
  fs::create_symlink("a", Path("link"));
  FileBatch batch;
  ASSERT_TRUE(batch.Add(Path("a"), "new"));
  auto again = batch.Add(Path("link"), "new");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().ToString(), Path("link") + ": is named for two outputs");
}

TEST_F(File, LinksAndPermissionsStay) {
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "old"));
  fs::permissions(Path("a"), fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("a", Path("link"));
  ASSERT_TRUE(WriteFileAtomically(Path("link"), "new"));
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(ReadFile(Path("a")).value(), "new");
  EXPECT_EQ(fs::status(Path("a")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(File, DevicesAreWrittenDirectly) {
  EXPECT_TRUE(WriteFileAtomically("/dev/null", "x"));
  if (fs::exists("/dev/full")) {
    auto full = WriteFileAtomically("/dev/full", "x");
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().message, "cannot be written: No space left on device");
  }
}

}  // namespace
}  // namespace pipescope
