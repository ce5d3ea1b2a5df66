# What shells and `man` look for below the prefix of the installation: share/man and the folders of completions.
if(DEFINED SKBUILD_DATA_DIR)
  install(DIRECTORY docs/man/ DESTINATION "${SKBUILD_DATA_DIR}/share/man/man1" FILES_MATCHING PATTERN "*.1")
  install(FILES lowlat_cli/completion/lowlat.bash
          DESTINATION "${SKBUILD_DATA_DIR}/share/bash-completion/completions" RENAME lowlat)
  install(FILES lowlat_cli/completion/lowlat.zsh
          DESTINATION "${SKBUILD_DATA_DIR}/share/zsh/site-functions" RENAME _lowlat)
  install(FILES lowlat_cli/completion/lowlat.fish
          DESTINATION "${SKBUILD_DATA_DIR}/share/fish/vendor_completions.d")
endif()
